import type { VerdictSums } from "./api/shapes.ts";
import { count, exactNeurons, neurons } from "./format.ts";
import { Figure, Panel } from "./ui/panel.tsx";

/** The cost of verdicts, and the savings through equal contents and free checks. */
export function VerdictSumsPanel({ verdicts }: { readonly verdicts: VerdictSums }) {
  const { made, micro_neurons_each: each } = verdicts;
  if (made === 0) return null;
  return (
    <Panel
      title="Verdicts"
      class="span-12"
      hint="Without test inputs. A saved check did not run, so the most that it could have cost is shown."
    >
      <div class="figures">
        <Figure label="Verdicts" value={count(made)} />
        <Figure
          label="Each cost"
          value={each === null ? "–" : neurons(each)}
          unit="N"
          title={each === null ? "" : exactNeurons(each)}
          detail={`${neurons(verdicts.micro_neurons)} N in all`}
        />
        <Figure
          label="Reused"
          value={count(verdicts.reused)}
          title={exactNeurons(verdicts.saved_micro_neurons)}
          detail={`${neurons(verdicts.saved_micro_neurons)} N saved: what the first ones cost`}
        />
        <Figure
          label="Paid checks saved"
          value={count(verdicts.spared_stages)}
          title={exactNeurons(verdicts.spared_at_most_micro_neurons)}
          detail={`at most ${neurons(verdicts.spared_at_most_micro_neurons)} N`}
        />
        <Figure
          label="Judged by free models alone"
          value={count(verdicts.free_checks)}
          detail="under policies without a paid model"
        />
        {verdicts.compared > 0 && (
          <Figure
            label="Checked by the judge"
            value={count(verdicts.compared)}
            title="Texts that the text model decided alone, and that the judge read too, as a sample"
            detail={driftOf(verdicts)}
          />
        )}
      </div>
    </Panel>
  );
}

/** The categories in which the judge contradicts the text model, the most frequent first. */
function driftOf({ disagreed }: VerdictSums): string {
  const all = Object.entries(disagreed).toSorted(([, a], [, b]) => b - a);
  if (all.length === 0) return "the judge agrees with the text model";
  return `drift: ${all.map(([category, texts]) => `${category} ${count(texts)}`).join(", ")}`;
}
