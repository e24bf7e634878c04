// The products of one query with many codes, in integers, with 128-bit SIMD. This is AssemblyScript:
// `npm run vector-kernel:build` compiles it to products.wasm.
//
// Memory is one block of a fixed size. The caller lays it out, and nothing here allocates.

/**
 * out[n] = the sum of query[i] * codes[n][i].
 *
 * @param query 16-bit numbers, so small that no sum leaves 32 bits
 * @param codes rows of bytes
 * @param length of a row and of the query: a multiple of 16
 * @param out 32-bit numbers
 */
export function products(query: usize, codes: usize, length: i32, rows: i32, out: usize): void {
  let row = codes;
  for (let n = 0; n < rows; n++) {
    let even = i32x4.splat(0);
    let odd = i32x4.splat(0);
    let at = query;
    const end = row + <usize>length;
    while (row < end) {
      const bytes = v128.load(row);
      even = i32x4.add(even, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(bytes), v128.load(at)));
      odd = i32x4.add(odd, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(bytes), v128.load(at, 16)));
      row += 16;
      at += 32;
    }
    const sum = i32x4.add(even, odd);
    store<i32>(
      out + ((<usize>n) << 2),
      i32x4.extract_lane(sum, 0) +
        i32x4.extract_lane(sum, 1) +
        i32x4.extract_lane(sum, 2) +
        i32x4.extract_lane(sum, 3),
    );
  }
}
