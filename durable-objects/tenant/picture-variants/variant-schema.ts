import type { Feature } from "../../database.ts";

// Which variants of pictures were made, and how many a day.

export const PICTURE_VARIANTS: Feature = {
  name: "picture_variants",
  migrations: [
    {
      name: "picture_variants",
      statements: [
        `CREATE TABLE picture_variants (
          call_id TEXT NOT NULL,
          picture_id TEXT NOT NULL,
          name TEXT NOT NULL,
          state TEXT NOT NULL CHECK (state IN ('making', 'made', 'failed')),
          until_ms INTEGER NOT NULL,
          failures INTEGER NOT NULL CHECK (failures >= 0),
          PRIMARY KEY (call_id, picture_id, name)
        ) STRICT, WITHOUT ROWID`,
        // `begun`: each may have been billed. `failed`: of those.
        `CREATE TABLE transformations (
          day INTEGER PRIMARY KEY,
          begun INTEGER NOT NULL,
          failed INTEGER NOT NULL
        ) STRICT`,
      ],
    },
  ],
  isReleased: false,
};
