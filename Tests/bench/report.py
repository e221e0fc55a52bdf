"""From runs to the table: medians over the rounds, with the smallest and the largest."""
import statistics

import rows

HEADS = {"native": "native", "floor": "floor", "strace": "strace", "observe": "observe", "enforce": "enforce", "rules": "1,000 rules"}


def cost(run):
    """More is worse, for rates too."""
    return 1 / run["value"] if run["unit"] == "/s" else run["value"]


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "of": len(values)} if values else None


def shown(s, form):
    return "–" if s is None else form(s["median"]) if s["of"] == 1 else "%s (%s..%s)" % (form(s["median"]), form(s["least"]), form(s["most"]))


def plain(value):
    return "%.2f" % value if abs(value) < 9.995 else "%.1f" % value if abs(value) < 999.5 else "{:,.0f}".format(value)


class Result:
    """One row's runs, compared."""

    def __init__(self, row, runs, foreign):
        self.row = row
        mine = [run for run in runs if run["row"] == row.name]
        self.failed = {run["column"] for run in mine if "failed" in run}
        good = [run for run in mine if run["round"] >= 0 and "failed" not in run]
        by_number = {run["number"]: run for run in good}
        self.native = spread([run["value"] for run in good if run["column"] == "native"])
        self.unit = good[0]["unit"] if good else ""
        self.kinds = {run["kind"] for run in good if "kind" in run}
        # By column, then by round: (the run, the native run beside it).
        self.pairs, self.noisy = {}, 0
        for column in row.columns:
            own = [run for run in good if run["column"] == column]
            if row.judged == rows.MEMORY:  # there is nothing native to compare with
                pairs = [(run, run) for run in own]
            else:
                pairs = [(run, by_number[run["beside"]]) for run in own if run.get("beside") in by_number]
            clean = [pair for pair in pairs if max(run["foreign"] for run in pair) <= foreign]
            if len(clean) < min(3, len(pairs)):
                self.noisy = max(self.noisy, len(pairs) - len(clean))
                clean = pairs
            self.pairs[column] = {run["round"]: (run, beside) for run, beside in clean}

    def each(self, column, compare):
        return {turn: compare(cost(run), cost(beside)) for turn, (run, beside) in self.pairs.get(column, {}).items()}

    def ratio(self, column):
        return self.each(column, lambda ours, native: ours / native)

    def added(self, column):
        return self.each(column, lambda ours, native: ours - native)

    def judged(self, column):
        """By round, in the unit that the row is judged in."""
        row = self.row
        if row.judged == rows.MEMORY:
            return self.each(column, lambda ours, _: ours)
        if row.judged == rows.ABOVE:
            return {turn: 1e3 * value for turn, value in self.added(column).items()}
        if row.judged == rows.NATIVE:
            return self.ratio(column)
        of = self.added if row.judged == rows.ADDED else self.ratio
        measure = of("observe" if row.judged == rows.OBSERVE else "floor")
        # A floor that adds nothing measurable can be no measure.
        return {turn: value / measure[turn] for turn, value in of(column).items() if measure.get(turn, 0) > 0}

    def cell(self, column):
        if column in self.failed:
            return "failed"
        if column not in self.row.columns:
            return ""
        if self.row.judged == rows.MEMORY:
            return shown(spread(list(self.judged(column).values())), plain) + " MiB"
        if self.row.judged in (rows.ADDED, rows.ABOVE):
            scale, unit = (1e-3, "µs") if self.unit == "ns" else (1e3, "ms")
            return "+" + shown(spread([scale * value for value in self.added(column).values()]), plain) + " " + unit
        return shown(spread(list(self.ratio(column).values())), plain)

    def native_cell(self):
        if self.native is None or self.row.judged == rows.MEMORY:
            return ""
        value = self.native["median"]
        return {"ns": lambda: plain(value / 1e3) + " µs", "/s": lambda: "{:,.0f}".format(value) + " /s"}.get(
            self.unit, lambda: plain(value) + " s" if value > 0.1 else plain(value * 1e3) + " ms")()

    def summary(self):
        ours = [column for column in self.row.columns if column not in ("floor", "strace")]
        judged_columns = ["rules"] if self.row.judged == rows.OBSERVE else ours
        judged, holds = {}, {}
        for column in judged_columns:
            judged[column] = spread(list(self.judged(column).values()))
            limit = self.row.limit_of(column)
            if limit is not None and judged[column]:
                holds[column] = judged[column]["median"] <= limit
        return {
            "row": self.row.name, "title": self.row.title, "unit": self.unit, "native": self.native, "failed": sorted(self.failed),
            "ratio": {column: spread(list(self.ratio(column).values())) for column in self.row.columns},
            "added": {column: spread(list(self.added(column).values())) for column in self.row.columns},
            "judged_by": self.row.judged, "judged": judged, "limit": self.row.limit, "holds": holds, "noisy": self.noisy,
        }


def line(result, columns):
    row, summary = result.row, result.summary()
    judged = "; ".join("%s %s" % (HEADS[column], shown(s, plain)) for column, s in summary["judged"].items())
    limits = {column: row.limit_of(column) for column in summary["judged"]}
    same = len(set(limits.values())) == 1
    limit = ", ".join("≤ %g" % value if same else "%s ≤ %g" % (column, value) for column, value in
                      (list(limits.items())[:1] if same else limits.items()) if value is not None) or "–"
    holds = summary["holds"]
    verdict = "–" if not holds else "yes" if all(holds.values()) else "no" if not any(holds.values()) else ", ".join(
        "%s %s" % (column, "yes" if good else "no") for column, good in holds.items())
    notes = (" (%d noisy)" % result.noisy if result.noisy else "") + "".join(" (%s)" % kind for kind in sorted(result.kinds))
    cells = ["`%s` %s%s" % (row.name, row.title, notes), result.native_cell()] + [result.cell(column) for column in columns]
    return "| " + " | ".join(cells + ["%s %s" % (judged, row.judged), limit, verdict]) + " |"


def table(all_rows, runs, about):
    """The Markdown, and the same for the JSON."""
    out = ["%s; Linux %s, %s, %d cores; sandbox %s; %d rounds; %s; C project: %s" % (
        about["date"], about["kernel"], about["processor"] or about["architecture"], about["cores"], about["sandbox"], about["rounds"],
        "as root" if about["root"] else "as an ordinary user", about["c_project"])]
    out.append("Median (least..most) over the rounds; what has no unit is a ratio to the native run beside it, above 1 is slower.")
    summaries = []
    for wanted, columns in ((False, ("floor", "strace", "observe", "enforce")), (True, ("observe", "enforce", "rules"))):
        results = [Result(row, runs, about["foreign_limit"]) for row in all_rows if (row.judged == rows.OBSERVE) == wanted]
        results = [result for result in results if any(run["row"] == result.row.name for run in runs)]
        if results:
            heads = ["", "native", *(HEADS[column] for column in columns), "judged", "limit", "holds"]
            out += ["", "| %s |" % " | ".join(heads), "|" + " --- |" * len(heads)]
            out += [line(result, columns) for result in results]
            summaries += [result.summary() for result in results]
    out += ["", *("not run: `%s`: %s" % item for item in about["unable"].items())]
    return "\n".join(out).rstrip(), summaries
