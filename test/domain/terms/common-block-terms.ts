/** Words that many policies block, in English. */
export const COMMON_BLOCK_TERMS: readonly string[] = (
  "anal anus arse ass bastard bitch clit cock coon cum cunt damn dick dyke erection fag fuck fucker gay " +
  "hell homo horny jap jerk kike kill libshit nazi negro nigger penis piss porn prick pussy rape semen " +
  "sex shit slut spic suck tit twat viagra wank whore xxx"
).split(" ");
