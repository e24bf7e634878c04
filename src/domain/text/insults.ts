// Words that belittle a person, chosen by hand: letters that were written apart are joined and cut into them
// (`spell-out.ts`). Profanity and slurs are not included.

export const INSULTS: ReadonlySet<string> = new Set(
  `
    stupid dumb idiotic moronic imbecilic brainless mindless braindead clueless
    ignorant useless worthless pathetic disgusting repulsive revolting vile ugly hideous filthy
    nasty despicable contemptible loathsome pitiful incompetent retarded delusional spineless
    gutless cowardly lazy fat smelly stinking laughable talentless trashy inbred illiterate subhuman
    garbage filth idiot idiots imbecile imbeciles moron morons cretin cretins dimwit dimwits halfwit
    halfwits nitwit nitwits dumbass dumbasses dummy dolt dunce simpleton blockhead bonehead airhead
    numbskull loser losers coward cowards liar liars creep creeps weirdo weirdos freak freaks
    pervert perverts swine vermin scum scumbag scumbags lowlife lowlifes parasite parasites maggot
    maggots cockroach cockroaches sleazebag douche douchebag douchebags jackass jackasses jerk jerks
    psycho psychos lunatic lunatics savages hag wench brat snowflake crybaby fatso dipshit dirtbag
    scoundrel subhumans degenerate degenerates ignoramus libtard libtards incel incels dingbat
    buffoon joke clown waste failure disgrace embarrassment nobody tool troll rat snake worm pig
    monster animal fool cheater fraud traitor savage peasant wimp slob leech cancer nuisance
  `
    .trim()
    .split(/\s+/),
);
