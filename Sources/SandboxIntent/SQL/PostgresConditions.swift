/// A tree's expression → `Condition`.
struct PostgresConditions {
    let tree: ParseTree
    /// The table whose rows are meant.
    let target: String?
    /// The definitions of its WITH.
    var expressions: [Int] = []
    /// Other names for the same table: a row there may be the row itself.
    var aliases: Set<String> = []
    private let maximumDepth = 60
    private let known = Known()

    /// What was found of a subquery: it is asked about by all that it stands in, and by each name that WITH gives it.
    private final class Known {
        struct Selection: Hashable {
            let values: [Condition]
            let select: Int
        }
        var links: [Int: Condition] = [:]
        var rows: [Selection: Bool] = [:]
    }

    func read(_ node: Int, depth: Int = 0) -> Condition {
        guard depth < maximumDepth else { return .opaque(readsColumns: false) }
        let node = tree.unwrapped(node)
        func inner(_ key: ParseKey) -> Condition {
            tree.child(node, key).map { read($0, depth: depth + 1) } ?? .opaque(readsColumns: false)
        }
        switch tree.key(node) {
        case .aConst: return constant(node)
        case .columnRef: return column(node)
        case .typeCast, .collateClause: return inner(.arg)
        case .boolExpr:
            let parts = tree.children(tree.child(node, .args)).map { read($0, depth: depth + 1) }
            switch tree.string(node, .boolop) {
            case "AND_EXPR": return .and(parts)
            case "OR_EXPR": return .or(parts)
            default: return .not(parts.first ?? .opaque(readsColumns: false))
            }
        case .nullTest: return tree.string(node, .nulltesttype) == "IS_NOT_NULL" ? .not(.isNull(inner(.arg))) : .isNull(inner(.arg))
        case .booleanTest: return booleanTest(node, inner(.arg))
        case .aExpr: return operation(node, depth)
        case .coalesceExpr:
            return .choice(tree.children(tree.child(node, .args)).map { read($0, depth: depth + 1) })
        case .caseExpr:
            return cases(node, depth)
        case .funcCall:
            let name = tree.names(tree.child(node, .funcname)).last?.lowercased() ?? ""
            return .call(name, tree.children(tree.child(node, .args)).map { read($0, depth: depth + 1) })
        case .subLink: return subLink(node, depth)
        case .rowExpr: return .call("row", tree.children(tree.child(node, .args)).map { read($0, depth: depth + 1) })
        case .currentOfExpr: return .opaque(readsColumns: true)
        default: return .opaque(readsColumns: mentionsColumn(node))
        }
    }

    private func cases(_ node: Int, _ depth: Int) -> Condition {
        func part(_ node: Int?) -> Condition? { node.map { read($0, depth: depth + 1) } }
        let value = part(tree.child(node, .arg))
        let cases = tree.children(tree.child(node, .args)).map(tree.unwrapped).map { item in
            let when = part(tree.child(item, .expr)) ?? .opaque(readsColumns: true)
            return (value.map { .call("=", [$0, when]) } ?? when, part(tree.child(item, .result)) ?? .opaque(readsColumns: false))
        }
        return .cases(cases, otherwise: part(tree.child(node, .defresult)) ?? .constant(.null))
    }

    private func mentionsColumn(_ node: Int) -> Bool {
        (node..<tree.end(node)).contains { tree.key($0) == .columnRef || tree.key($0) == .currentOfExpr }
    }

    private func constant(_ node: Int) -> Condition {
        if tree.isTrue(node, .isnull) { return .constant(.null) }
        if let value = tree.child(node, .boolval) { return .constant(.bool(tree.end(value) > value + 1)) }
        if let value = tree.child(node, .ival) { return .constant(.number(Double(tree.number(value, .ival)))) }
        if let value = tree.child(node, .fval), let text = tree.string(value, .fval) {
            return Double(text).map { .constant(.number($0)) } ?? .constant(.text(text))
        }
        if let value = tree.child(node, .sval) { return .constant(.text(tree.string(value, .sval) ?? "")) }
        return .opaque(readsColumns: false)
    }

    private func column(_ node: Int) -> Condition {
        var names = tree.names(tree.child(node, .fields))
        if names.count == 2, aliases.contains(names[0]) { names[0] = target ?? "" }
        return names.isEmpty ? .opaque(readsColumns: true) : .column(names.joined(separator: "."))
    }

    private func booleanTest(_ node: Int, _ part: Condition) -> Condition {
        switch tree.string(node, .booltesttype) {
        case "IS_FALSE", "IS_NOT_TRUE": .not(part)
        case "IS_TRUE", "IS_NOT_FALSE": part
        case "IS_UNKNOWN": .isNull(part)
        default: .not(.isNull(part))
        }
    }

    private func operation(_ node: Int, _ depth: Int) -> Condition {
        let name = tree.names(tree.child(node, .name)).last?.lowercased() ?? ""
        let left = tree.child(node, .lexpr).map { read($0, depth: depth + 1) }
        let rightNode = tree.child(node, .rexpr).map(tree.unwrapped)
        let right: [Condition]
        if let rightNode, tree.key(rightNode) == .list {
            right = tree.children(tree.child(rightNode, .items)).map { read($0, depth: depth + 1) }
        } else {
            right = rightNode.map { [read($0, depth: depth + 1)] } ?? []
        }
        let operands = (left.map { [$0] } ?? []) + right
        switch tree.string(node, .kind) {
        case "AEXPR_DISTINCT": return .not(.call("is", operands))
        case "AEXPR_NOT_DISTINCT": return .call("is", operands)
        case "AEXPR_IN":
            let inside = operands.count == 2 ? Condition.comparison("=", operands[0], operands[1]) : .call("in", operands)
            return name == "<>" ? .not(inside) : inside
        case "AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM": return .call("between", operands)
        case "AEXPR_NOT_BETWEEN", "AEXPR_NOT_BETWEEN_SYM": return .not(.call("between", operands))
        case "AEXPR_SIMILAR":
            guard operands.count == 2, case .call(_, let pattern) = operands[1], let first = pattern.first else {
                return .call("similar to", operands)
            }
            return name == "~" ? .call("similar", [operands[0], first]) : .not(.call("similar", [operands[0], first]))
        case "AEXPR_OP_ANY", "AEXPR_OP_ALL":
            // `id = ANY(ARRAY[id])`
            guard name == "=", let left, let rightNode else { return .call("some \(name)", operands) }
            // `= ANY (ARRAY(SELECT id …))`
            if tree.key(rightNode) == .subLink, let select = tree.child(rightNode, .subselect).map(tree.unwrapped) {
                return membership(of: left, select, isAny: tree.string(node, .kind) == "AEXPR_OP_ANY", isIn: true, depth)
            }
            guard tree.key(rightNode) == .aArrayExpr else { return .call("some \(name)", operands) }
            let items = tree.children(tree.child(rightNode, .elements)).map { read($0, depth: depth + 1) }
            if items.count == 1 { return .call("=", [left] + items) }
            return tree.string(node, .kind) == "AEXPR_OP_ANY" ? .call("in", [left] + items) : .and(items.map { .call("=", [left, $0]) })
        case "AEXPR_OP" where operands.count == 2: return .comparison(name, operands[0], operands[1])
        case "AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE": return .call(name, operands)
        default: return .call("some \(name)", operands)
        }
    }

    /// Of a subquery only what it takes from the row around it can differ from row to row.
    private func subLink(_ node: Int, _ depth: Int) -> Condition {
        if let known = known.links[node] { return known }
        let found = foundOf(subLink: node, depth)
        known.links[node] = found
        return found
    }

    private func foundOf(subLink node: Int, _ depth: Int) -> Condition {
        guard let select = tree.child(node, .subselect).map(tree.unwrapped) else { return .opaque(readsColumns: true) }
        // `(SELECT id)`: the value itself.
        if tree.string(node, .subLinkType) == "EXPR_SUBLINK", let value = onlyValue(select) { return read(value, depth: depth + 1) }
        guard ["ANY_SUBLINK", "ALL_SUBLINK"].contains(tree.string(node, .subLinkType)) else {
            return .opaque(readsColumns: readsOuterRow(select))
        }
        let tested = tree.child(node, .testexpr).map { read($0, depth: depth + 1) } ?? .opaque(readsColumns: true)
        let isIn = [[], ["="]].contains(tree.names(tree.child(node, .operName)))
        return membership(of: tested, select, isAny: tree.string(node, .subLinkType) == "ANY_SUBLINK", isIn: isIn, depth)
    }

    private func membership(of tested: Condition, _ select: Int, isAny: Bool, isIn: Bool, _ depth: Int) -> Condition {
        // NOT IN of nothing is everything.
        if tree.child(select, .whereClause).map({ read($0, depth: depth + 1).truth == .never }) ?? false {
            return .constant(.bool(!isAny))
        }
        var values = [tested]
        if case .call("row", let parts) = tested { values = parts }
        if isIn, isAny, tested.readsColumns, isEveryRow(of: values, select, depth) { return .constant(.bool(true)) }
        return .opaque(readsColumns: tested.readsColumns || readsOuterRow(select))
    }

    private func onlyValue(_ select: Int) -> Int? {
        let targets = tree.children(tree.child(select, .targetList)).map(tree.unwrapped)
        let isPlain = ![.fromClause, .whereClause, .havingClause, .larg, .limitCount, .limitOffset].contains { tree.isTrue(select, $0) }
        return isPlain && targets.count == 1 ? tree.child(targets[0], .val) : nil
    }

    private func isEveryRow(of values: [Condition], _ select: Int, _ depth: Int) -> Bool {
        guard depth < maximumDepth else { return true }
        let selection = Known.Selection(values: values, select: select)
        if let known = known.rows[selection] { return known }
        let found = hasEveryRow(of: values, select, depth)
        known.rows[selection] = found
        return found
    }

    private func hasEveryRow(of values: [Condition], _ select: Int, _ depth: Int) -> Bool {
        if tree.string(select, .op) == "SETOP_UNION", ![.limitCount, .limitOffset].contains(where: { tree.isTrue(select, $0) }) {
            return [.larg, .rarg].contains { side in
                tree.child(select, side).map(tree.unwrapped).map { isEveryRow(of: values, $0, depth + 1) } ?? false
            }
        }
        return !isLimited(select, depth) && givesOwn(values, of: select, depth)
    }

    private func isLimited(_ select: Int, _ depth: Int) -> Bool {
        if [.havingClause, .larg, .limitCount, .limitOffset].contains(where: { tree.isTrue(select, $0) }) { return true }
        return tree.child(select, .whereClause).map { !read($0, depth: depth + 1).leavesNothingOut } ?? false
    }

    /// A column qualified by a name that the subquery does not itself give to a table.
    private func readsOuterRow(_ select: Int) -> Bool {
        var own: Set<String> = []
        for i in select..<tree.end(select) where [.relname, .aliasname, .ctename].contains(tree.key(i)) { own.insert(tree.string(i)) }
        return (select..<tree.end(select)).contains { i in
            guard tree.key(i) == .columnRef else { return tree.key(i) == .currentOfExpr }
            let names = tree.names(tree.child(i, .fields))
            return names.count > 1 && !own.contains(names[names.count - 2])
        }
    }

    /// `id IN (SELECT id FROM the same table)`, `(id, 1) IN (SELECT id, 1 …)`.
    private func givesOwn(_ values: [Condition], of select: Int, _ depth: Int) -> Bool {
        let tables = tree.children(tree.child(select, .fromClause)).map(tree.unwrapped)
        let targets = tree.children(tree.child(select, .targetList)).map(tree.unwrapped)
        guard tables.count == 1, let source = tree.string(tables[0], .relname) else { return false }
        let isWhole = targets.count == 1 && tree.child(targets[0], .val).map(isStar) ?? false
        guard isWhole ? values.allSatisfy(\.isColumn) : gives(values, targets, of: select) else { return false }
        guard let query = query(source, at: select) else { return source == target }
        return isEveryRow(of: values, query, depth + 1)
    }

    /// What WITH calls so.
    private func query(_ name: String, at select: Int) -> Int? {
        let definition = expressions.first { tree.string($0, .ctename) == name && !($0..<tree.end($0)).contains(select) }
        return definition.flatMap { tree.child($0, .ctequery) }.map(tree.unwrapped)
    }

    private func isStar(_ value: Int) -> Bool {
        guard case .opaque = read(value) else { return false }
        return tree.key(tree.unwrapped(value)) == .columnRef
    }

    private func gives(_ values: [Condition], _ targets: [Int], of select: Int) -> Bool {
        values.count == targets.count
            && zip(values, targets).allSatisfy { value, target in
                tree.child(target, .val).map { gives(value, read($0), of: select) } ?? false
            }
    }

    private func gives(_ value: Condition, _ selected: Condition, of select: Int) -> Bool {
        switch (value, selected) {
        case (.column(let name), .column(let selected)): Condition.isSame(name, selected)
        // Of each group, and a group may be a row.
        case (_, .call("max", let parts)) where tree.isTrue(select, .groupClause) && parts.count == 1,
            (_, .call("min", let parts)) where tree.isTrue(select, .groupClause) && parts.count == 1:
            gives(value, parts[0], of: select)
        case (.constant, .constant): value == selected
        default: false
        }
    }
}
