/// A name that WITH gives to a query, and where it hides the table of that name.
struct CommonExpression {
    let name: String
    private let scope: Range<Int>
    /// Definitions that come before it is known, its own among them.
    private let hidden: [Range<Int>]

    func isMeant(by name: String, at node: Int) -> Bool {
        self.name == name && scope.contains(node) && !hidden.contains { $0.contains(node) }
    }

    static func all(in tree: ParseTree, _ body: Int) -> [CommonExpression] {
        var found: [CommonExpression] = []
        var around: [Int] = []
        for i in body..<tree.end(body) {
            while let last = around.last, tree.end(last) <= i { around.removeLast() }
            if tree.key(i) == .withClause, let owner = around.last {
                let definitions = tree.children(tree.child(i, .ctes)).map(tree.unwrapped)
                let isRecursive = tree.isTrue(i, .recursive)
                for (k, definition) in definitions.enumerated() {
                    let earlier = isRecursive ? [] : definitions[...k].map { $0..<tree.end($0) }
                    let name = tree.string(definition, .ctename) ?? ""
                    found.append(CommonExpression(name: name, scope: owner..<tree.end(owner), hidden: earlier))
                }
            }
            if tree.nodes[i].kind == .object { around.append(i) }
        }
        return found
    }
}
