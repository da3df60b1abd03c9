import type { Verdict } from '../../domain/verdict.ts';

type Direction = 'better' | 'worse';

/** Words that say which way it went, in English and Chinese, whatever the metric. */
const words: Readonly<Record<Direction, RegExp>> = {
  better:
    /\b(?:better|best|improv\w*|outperform\w*|beats?|beaten|superior|surpass\w*|helps?|helped|benefits?|benefited|gains?|gained|advantage\w*|wins?|succe(?:eds?|eded|ss\w*))\b|更好|较好|最好|更优|优于|改善|改进了|提升|胜过|超过|超越|有效|有益|进步|好于|成功/giu,
  worse:
    /\b(?:worse|worst|degrad\w*|deteriorat\w*|hurts?|harm\w*|inferior|regress(?:es|ed|ion)?|underperform\w*)\b|更差|较差|变差|最差|恶化|劣于|退化|变坏|不如|有害/giu,
};

/** Words that say a direction only together with what the metric's goal is. */
const down =
  /\b(?:lowers?|lowered|reduc\w*|decreas\w*|drops?|dropped|falls?|fell|cuts?|shrinks?|shrank)\b|降低|下降|减少|减小|更低|较低|降至/giu;
const up =
  /\b(?:rais\w*|increas\w*|higher|rises?|rose|grows?|grew|boosts?|boosted)\b|提高|上升|增加|增大|更高|较高|升高/giu;
const metricWords =
  /\b(?:loss|metric|error|accuracy|score|perplexity|reward)\b|指标|损失|误差|精度|准确率|得分|困惑度/iu;

/** These turn a word round, or leave it open, for the rest of their clause. */
const turned =
  /\b(?:not|no|never|neither|nor|without|cannot|can't|hardly|barely|fail\w*|lacks?|unclear|whether|if|may|might|could|would|should|expected|hypothes\w*|nothing|none|rather than)\b|n't\b|不|没|未|无法|无|非|难以|是否|可能|或许|如果|能否|尚|假设|预期/iu;
/** These look like a denial and are none. */
const feigned =
  /\bnot only\b|\bnot just\b|\bno doubt\b|\bnothing but\b|\bnot least\b|不仅|不但|不只|不光|无疑|非常|毫无疑问|无可否认|未来/giu;

/**
 * What a text claims beyond the verdict, as sentences for whoever must mend it; [] when it fits. *Inside noise* and an
 * unsettled comparison are never *better* or *worse*; a measured direction is never the other one.
 */
export function misfits(
  text: string,
  status: Verdict['status'],
  metric: { readonly name: string; readonly goal: 'minimize' | 'maximize' },
): string[] {
  const forbidden: readonly Direction[] =
    status === 'better' ? ['worse'] : status === 'worse' ? ['better'] : ['better', 'worse'];
  return sentencesOf(text).flatMap((sentence) => {
    const aboutMetric =
      metricWords.test(sentence) || sentence.toLowerCase().includes(metric.name.toLowerCase());
    return clausesOf(sentence).flatMap((clause) =>
      forbidden.flatMap((direction) =>
        said(clause, direction, aboutMetric, metric.goal).map(
          (word) => `"${word}" says ${direction}, but the verdict is ${status.replaceAll('-', ' ')}`,
        ),
      ),
    );
  });
}

function said(
  clause: string,
  direction: Direction,
  aboutMetric: boolean,
  goal: 'minimize' | 'maximize',
): string[] {
  const honest = clause.replaceAll(feigned, ' ');
  const directed = (direction === 'better') === (goal === 'minimize') ? down : up;
  return [words[direction], ...(aboutMetric ? [directed] : [])].flatMap((pattern) =>
    [...honest.matchAll(pattern)]
      .filter(({ index }) => !turned.test(honest.slice(0, index)))
      .map(([word]) => word),
  );
}

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?])\s+|[。！？；\n]/u).filter((sentence) => sentence.trim() !== '');
}

function clausesOf(sentence: string): string[] {
  return sentence.split(/[,;:，、：]\s*|\b(?:but|yet|however|although|while|and so)\b|但是|但|然而|却/iu);
}
