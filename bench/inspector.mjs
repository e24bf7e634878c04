// A client for V8's inspector of a workerd that was started with `--inspector-addr`.

export async function inspect(/** @type {number} */ port) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const socket = new WebSocket(targets[0].webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
  const replies = new Map();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(data);
    replies.get(id)?.(result);
  });
  let last = 0;
  return {
    ask: (/** @type {string} */ method, params = {}) =>
      new Promise((resolve) => {
        last += 1;
        replies.set(last, resolve);
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}
