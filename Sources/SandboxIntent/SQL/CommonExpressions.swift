/// The names that WITH gives to queries, and where each hides the table of that name.
struct CommonExpressions {
    private struct Definition {
        let scope: Range<Int>
        /// It is not known yet: in definitions that come before it, and in its own.
        let hidden: Range<Int>
        /// The definition of that name around this one.
        let outer: Int?
    }
    private var definitions: [Definition] = []
    /// By name, in the order in which their scopes begin.
    private var named: [String: [Int]] = [:]

    init() {}

    init(in tree: ParseTree, _ body: Int) {
        var around: [Int] = [], found: [(name: String, scope: Range<Int>, hidden: Range<Int>)] = []
        for i in body..<tree.end(body) {
            while let last = around.last, tree.end(last) <= i { around.removeLast() }
            if tree.key(i) == .withClause, let owner = around.last {
                let queries = tree.children(tree.child(i, .ctes)).map(tree.unwrapped)
                let isRecursive = tree.isTrue(i, .recursive)
                for query in queries {
                    let hidden = isRecursive ? query..<query : queries[0]..<tree.end(query)
                    found.append((tree.string(query, .ctename) ?? "", owner..<tree.end(owner), hidden))
                }
            }
            if tree.nodes[i].kind == .object { around.append(i) }
        }
        // WITH is written last: what stands around comes first.
        for each in found.sorted(by: { $0.scope.lowerBound < $1.scope.lowerBound }) {
            add(each.name, scope: each.scope, hidden: each.hidden)
        }
    }

    private mutating func add(_ name: String, scope: Range<Int>, hidden: Range<Int>) {
        var outer = named[name]?.last
        while let index = outer, !definitions[index].scope.contains(scope.lowerBound) { outer = definitions[index].outer }
        named[name, default: []].append(definitions.count)
        definitions.append(Definition(scope: scope, hidden: hidden, outer: outer))
    }

    /// A name at this place of the tree means one of them, and no table.
    func mean(_ name: String, at node: Int) -> Bool {
        guard let all = named[name] else { return false }
        // The last that begins before it, or one around that.
        var low = 0, high = all.count
        while low < high {
            let middle = (low + high) / 2
            if definitions[all[middle]].scope.lowerBound <= node { low = middle + 1 } else { high = middle }
        }
        var next = low > 0 ? all[low - 1] : nil
        while let index = next {
            let definition = definitions[index]
            if definition.scope.contains(node), !definition.hidden.contains(node) { return true }
            next = definition.outer
        }
        return false
    }
}
