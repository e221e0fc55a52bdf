/// What stands around a condition: whose rows it chooses, and common table expressions.
struct Around {
    /// Nil: several tables, or none that can be told.
    var target: String?
    /// Names of the expressions before the statement, where those take rows of the target.
    var expressions: Set<String> = []
    /// None of them takes every row.
    var areChoosy = false

    /// `start`: where UPDATE or DELETE stands.
    init(_ tokens: [Lexeme], change start: Int, _ dialect: SQLDialect) {
        var k = start + 1
        while k < tokens.count, tokens[k].isWord(["LOW_PRIORITY", "QUICK", "IGNORE", "FROM", "OR", "ABORT", "FAIL", "REPLACE", "ROLLBACK"])
        {
            k += 1
        }
        while k + 2 < tokens.count, tokens[k + 1].isSymbol(".") { k += 2 }
        guard k < tokens.count, [.word, .name].contains(tokens[k].kind) else { return }
        let rest = tokens[(k + 1)...].prefix { !$0.isWord(["WHERE", "SET"]) }
        if rest.contains(where: { $0.isSymbol(",") || $0.isWord(["JOIN", "FROM", "USING"]) }) { return }
        target = tokens[k].name.lowercased()
        let before = tokens[..<min(start, tokens.count)]
        guard before.contains(where: { $0.name.lowercased() == target }) else { return }
        expressions = Set(before.lazy.filter { [.word, .name].contains($0.kind) }.map { $0.name.lowercased() })
        guard before.count(where: { $0.isWord("SELECT") }) == 1, let body = before.lastIndex(where: { $0.isWord("SELECT") }),
            body > 0, before[body - 1].isSymbol("(")
        else { return }
        var parser = TokenConditions(tokens: before, dialect: dialect, around: self, i: body - 1)
        areChoosy = parser.subquery().isChoosy
    }
}

/// A subquery, as far as it takes to tell whether a condition with it leaves anything out.
struct Subquery {
    fileprivate(set) var names: Set<String> = []
    /// Qualified by it: `t.id`.
    fileprivate(set) var owners: Set<String> = []
    /// The one column that it gives; `*`; nil where that is something else.
    fileprivate(set) var selected: String?
    /// It gives one value for many rows.
    fileprivate(set) var isAggregate = false
    /// Not every row of its tables meets its condition, or it has a limit.
    fileprivate(set) var isChoosy = false
    fileprivate(set) var hasNoRows = false
    fileprivate var isUnion = false
    /// `(SELECT id)`
    fileprivate(set) var value: Condition?

    /// `id IN (SELECT id FROM the same table)`.
    func isEveryRow(of left: Condition, _ around: Around) -> Bool {
        if hasNoRows { return true }
        if isChoosy || isAggregate { return false }
        if let target = around.target, !names.contains(target) {
            if around.areChoosy || names.isDisjoint(with: around.expressions) { return false }
        }
        guard case .column(let column) = left, let selected, selected != "*" else { return true }
        return Condition.isSame(column, selected)
    }

    /// `left IN` this, as far as it is the same for every row; nil where it is not.
    func membership(of left: Condition, _ around: Around) -> Condition? {
        guard isEveryRow(of: left, around) else { return nil }
        // NOT IN of nothing is everything, and NOT IN of everything nothing.
        if hasNoRows { return .constant(.bool(false)) }
        if case .column = left, selected != nil, !isUnion { return .constant(.bool(true)) }
        return .opaque(readsColumns: false)
    }

    /// Its condition asks something of the row around it.
    func readsRow(of around: Around) -> Bool { isChoosy && around.target.map { owners.contains($0) } ?? false }
}

extension TokenConditions {
    /// From `(` to behind its `)`.
    mutating func subquery() -> Subquery {
        var found = Subquery()
        guard symbol() == "(" else {
            found.isChoosy = true
            return found
        }
        let start = i + 1, close = closing()
        i = min(close + 1, tokens.endIndex)
        var level = 0, condition: Int?, isUnion = false
        for k in start..<close {
            let token = tokens[k]
            if token.isSymbol("(") { level += 1 }
            if token.isSymbol(")") { level -= 1 }
            if [.word, .name].contains(token.kind) {
                let isOwner = k + 1 < close && tokens[k + 1].isSymbol(".")
                if isOwner { found.owners.insert(token.name.lowercased()) } else { found.names.insert(token.name.lowercased()) }
            }
            if token.isWord(["LIMIT", "HAVING", "EXCEPT", "INTERSECT"]) || level > 0 && token.isWord("WHERE") { found.isChoosy = true }
            if token.isWord("UNION") { isUnion = true }
            if level == 0, condition == nil, token.isWord("WHERE") { condition = k + 1 }
        }
        if let condition { read(condition: condition, to: close, &found) }
        // One of several may take what another leaves out.
        if isUnion { (found.isChoosy, found.hasNoRows, found.isUnion) = (false, false, true) }
        selected(start, close, &found)
        if !isUnion { found.value = value(start, close) }
        return found
    }

    private func closing() -> Int {
        var level = 0
        for k in i..<tokens.endIndex {
            if tokens[k].isSymbol("(") { level += 1 }
            if tokens[k].isSymbol(")") { level -= 1 }
            if level == 0 { return k }
        }
        return tokens.endIndex
    }

    private func parsed(_ range: Range<Int>) -> Condition? {
        var parser = TokenConditions(tokens: tokens[range], dialect: dialect, around: around, i: range.lowerBound)
        parser.depth = depth + 1
        let condition = parser.expression(0)
        return parser.i >= range.upperBound ? condition : nil
    }

    private func read(condition start: Int, to close: Int, _ found: inout Subquery) {
        var level = 0, end = start
        while end < close {
            if tokens[end].isSymbol("(") { level += 1 }
            if tokens[end].isSymbol(")") { level -= 1 }
            if level == 0, tokens[end].isWord(["GROUP", "ORDER", "LIMIT", "HAVING", "UNION", "EXCEPT", "INTERSECT", "WINDOW", "FOR"]) {
                break
            }
            end += 1
        }
        switch parsed(start..<end)?.truth {
        case .never: found.hasNoRows = true
        case .always, .same: break
        case .depends, nil: found.isChoosy = true
        }
    }

    private func selected(_ start: Int, _ close: Int, _ found: inout Subquery) {
        guard start < close, tokens[start].isWord("SELECT") else { return }
        var k = start + 1
        if k < close, tokens[k].isWord(["DISTINCT", "ALL"]) { k += 1 }
        guard k < close else { return }
        if tokens[k].isSymbol("*") { return found.selected = "*" }
        while k + 2 < close, tokens[k + 1].isSymbol(".") { k += 2 }
        guard [.word, .name].contains(tokens[k].kind), k + 1 < close else { return }
        if tokens[k + 1].isSymbol("(") {
            // Of groups it gives a value each, of windows one for each row.
            found.isAggregate =
                tokens[k].isWord(["MAX", "MIN", "SUM", "AVG", "COUNT"]) && !tokens[k..<close].contains { $0.isWord(["GROUP", "OVER"]) }
            if tokens[k].isWord(["MAX", "MIN"]), k + 3 < close, tokens[k + 3].isSymbol(")"),
                tokens[k..<close].contains(where: { $0.isWord("GROUP") })
            {
                found.selected = tokens[k + 2].name
            }
        } else if tokens[k + 1].isWord(["FROM", "AS"]) {
            found.selected = tokens[k].name
        }
    }

    private func value(_ start: Int, _ close: Int) -> Condition? {
        guard start < close, tokens[start].isWord("SELECT"),
            !tokens[start..<close].contains(where: { $0.isWord(["FROM", "WHERE", "LIMIT", "HAVING"]) })
        else { return nil }
        return parsed(start + 1..<close)
    }
}
