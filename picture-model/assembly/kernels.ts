// The three slow operations of MobileNetV2, on 32-bit floats with 128-bit SIMD. This is AssemblyScript:
// `npm run build` compiles it to kernels.wasm.
//
// Every pointer is in bytes and 16-byte aligned. The caller lays out the memory, which never grows;
// nothing here allocates. Pictures are square, channels last: [row][column][channel].

function relu6(v: v128): v128 {
  return f32x4.min(f32x4.max(v, f32x4.splat(0)), f32x4.splat(6));
}

/**
 * A convolution of 1 x 1 (or of patches) as a product of matrices:
 * out[M][N] = a[M][K] x b[K][N] + bias[N] (+ residual[M][N]), with ReLU6 where `clamp` is 1.
 *
 * Tiles of four rows and eight columns stay in registers. `b` is packed for that: [N / 8][K][8].
 *
 * @param m at least 4. If it is no multiple of four the last rows are computed twice, so `out` must not
 *   overlap `residual` or `a`
 * @param n a multiple of 8
 * @param residual 0: none
 */
export function multiply(
  a: usize,
  b: usize,
  bias: usize,
  out: usize,
  m: i32,
  k: i32,
  n: i32,
  clamp: i32,
  residual: usize,
): void {
  const rowOfA: usize = (<usize>k) << 2;
  const rowOfOut: usize = (<usize>n) << 2;
  for (let row = 0; row < m; row += 4) {
    const first: usize = <usize>(row + 4 > m ? m - 4 : row);
    const a0 = a + first * rowOfA;
    const a1 = a0 + rowOfA;
    const a2 = a1 + rowOfA;
    const a3 = a2 + rowOfA;
    let packed = b;
    for (let column: usize = 0; column < rowOfOut; column += 32) {
      let c00 = v128.load(bias + column);
      let c01 = v128.load(bias + column, 16);
      let c10 = c00;
      let c11 = c01;
      let c20 = c00;
      let c21 = c01;
      let c30 = c00;
      let c31 = c01;
      for (let at: usize = 0; at < rowOfA; at += 4) {
        const b0 = v128.load(packed);
        const b1 = v128.load(packed, 16);
        packed += 32;
        let value = v128.load32_splat(a0 + at);
        c00 = f32x4.add(c00, f32x4.mul(value, b0));
        c01 = f32x4.add(c01, f32x4.mul(value, b1));
        value = v128.load32_splat(a1 + at);
        c10 = f32x4.add(c10, f32x4.mul(value, b0));
        c11 = f32x4.add(c11, f32x4.mul(value, b1));
        value = v128.load32_splat(a2 + at);
        c20 = f32x4.add(c20, f32x4.mul(value, b0));
        c21 = f32x4.add(c21, f32x4.mul(value, b1));
        value = v128.load32_splat(a3 + at);
        c30 = f32x4.add(c30, f32x4.mul(value, b0));
        c31 = f32x4.add(c31, f32x4.mul(value, b1));
      }
      if (clamp) {
        c00 = relu6(c00);
        c01 = relu6(c01);
        c10 = relu6(c10);
        c11 = relu6(c11);
        c20 = relu6(c20);
        c21 = relu6(c21);
        c30 = relu6(c30);
        c31 = relu6(c31);
      }
      if (residual) {
        const r0 = residual + first * rowOfOut + column;
        const r1 = r0 + rowOfOut;
        const r2 = r1 + rowOfOut;
        const r3 = r2 + rowOfOut;
        c00 = f32x4.add(c00, v128.load(r0));
        c01 = f32x4.add(c01, v128.load(r0, 16));
        c10 = f32x4.add(c10, v128.load(r1));
        c11 = f32x4.add(c11, v128.load(r1, 16));
        c20 = f32x4.add(c20, v128.load(r2));
        c21 = f32x4.add(c21, v128.load(r2, 16));
        c30 = f32x4.add(c30, v128.load(r3));
        c31 = f32x4.add(c31, v128.load(r3, 16));
      }
      const o0 = out + first * rowOfOut + column;
      const o1 = o0 + rowOfOut;
      const o2 = o1 + rowOfOut;
      const o3 = o2 + rowOfOut;
      v128.store(o0, c00);
      v128.store(o0, c01, 16);
      v128.store(o1, c10);
      v128.store(o1, c11, 16);
      v128.store(o2, c20);
      v128.store(o2, c21, 16);
      v128.store(o3, c30);
      v128.store(o3, c31, 16);
    }
  }
}

/**
 * A depthwise convolution of 3 x 3 with bias and ReLU6: each channel by itself.
 *
 * @param weights [9][channels]
 * @param channels a multiple of 4
 * @param stride 1: zeros on all sides ("same"); 2: a row and a column of zeros behind
 */
export function depthwise(
  input: usize,
  weights: usize,
  bias: usize,
  out: usize,
  side: i32,
  channels: i32,
  stride: i32,
): void {
  const outSide = side / stride;
  const before = stride == 1 ? 1 : 0;
  const pixel: usize = (<usize>channels) << 2;
  for (let outY = 0; outY < outSide; outY++) {
    for (let outX = 0; outX < outSide; outX++) {
      const top = outY * stride - before;
      const left = outX * stride - before;
      const to = out + <usize>(outY * outSide + outX) * pixel;
      for (let channel: usize = 0; channel < pixel; channel += 16) {
        let sum = v128.load(bias + channel);
        for (let dy = 0; dy < 3; dy++) {
          const y = top + dy;
          if (<u32>y >= <u32>side) continue;
          for (let dx = 0; dx < 3; dx++) {
            const x = left + dx;
            if (<u32>x >= <u32>side) continue;
            const value = v128.load(input + <usize>(y * side + x) * pixel + channel);
            const weight = v128.load(weights + <usize>(dy * 3 + dx) * pixel + channel);
            sum = f32x4.add(sum, f32x4.mul(value, weight));
          }
        }
        v128.store(to + channel, relu6(sum));
      }
    }
  }
}

/**
 * Makes the rows that the first convolution reads with `multiply`: patches of 3 x 3 RGB pixels with
 * stride 2, a row and a column of zeros behind. out: [(side / 2) ^ 2][27].
 */
export function patches(input: usize, out: usize, side: i32): void {
  const outSide = side / 2;
  let to = out;
  for (let outY = 0; outY < outSide; outY++) {
    for (let outX = 0; outX < outSide; outX++) {
      for (let dy = 0; dy < 3; dy++) {
        for (let dx = 0; dx < 3; dx++) {
          const y = outY * 2 + dy;
          const x = outX * 2 + dx;
          const isInside = y < side && x < side;
          const from = input + <usize>(y * side + x) * 12;
          for (let at: usize = 0; at < 12; at += 4) {
            store<f32>(to, isInside ? load<f32>(from + at) : 0);
            to += 4;
          }
        }
      }
    }
  }
}
