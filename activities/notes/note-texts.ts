import { z } from 'zod';

const text = z.string().trim().min(1).max(2000);

/** The parts of the note that are words and not facts. */
export const NoteTexts = z.strictObject({ claim: text.max(400), reading: text, limits: text, next: text });
export type NoteTexts = z.infer<typeof NoteTexts>;
