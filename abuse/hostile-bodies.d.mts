type Bodies = Readonly<Record<string, (size: number) => Uint8Array<ArrayBuffer>>>;

export const SOUNDS: Bodies;
export const PICTURES: Bodies;
export const JSONS: Bodies;
export const RUN_BODIES: Bodies;
export const CHATS: Bodies;
export const FORMS: Bodies;
export const PAGES: Bodies;
export const TEXTS: Readonly<Record<string, (size: number) => string>>;

export const BOUNDARY: string;
export function formOf(file: Uint8Array, model?: string): Uint8Array<ArrayBuffer>;
export function filled(
  size: number,
  head: string | readonly number[],
  unit: string | readonly number[],
  tail?: string | readonly number[],
): Uint8Array<ArrayBuffer>;
