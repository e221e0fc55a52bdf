/// A name that WITH gives to a query, and where it hides the table of that name.
struct CommonExpression {
    private let scope: Range<Int>
    /// Definitions that come before it is known, its own among them.
    private let hidden: Range<Int>

    func isMeant(at node: Int) -> Bool { scope.contains(node) && !hidden.contains(node) }

    /// By name.
    static func all(in tree: ParseTree, _ body: Int) -> [String: [CommonExpression]] {
        var found: [String: [CommonExpression]] = [:]
        var around: [Int] = []
        for i in body..<tree.end(body) {
            while let last = around.last, tree.end(last) <= i { around.removeLast() }
            if tree.key(i) == .withClause, let owner = around.last {
                let definitions = tree.children(tree.child(i, .ctes)).map(tree.unwrapped)
                let isRecursive = tree.isTrue(i, .recursive)
                for definition in definitions {
                    let earlier = isRecursive ? definition..<definition : definitions[0]..<tree.end(definition)
                    let name = tree.string(definition, .ctename) ?? ""
                    found[name, default: []].append(CommonExpression(scope: owner..<tree.end(owner), hidden: earlier))
                }
            }
            if tree.nodes[i].kind == .object { around.append(i) }
        }
        return found
    }
}
