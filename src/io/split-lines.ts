/** The lines of a stream of text, some at a time, without their line ends. An empty last line is left out. */
export async function* splitLines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (parts.length > 0) yield parts;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
