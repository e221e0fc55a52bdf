internal import SandboxModel

extension RewriteTerms {
    /// The command line as the rule wants it; nil where it is none that the rule can do all of that to, or where nothing changes
    /// although something had to: then it must not run.
    func applied(to given: [[UInt8]]) -> Rewriting? {
        guard !given.isEmpty else { return nil }
        // What stands after `--` are operands, whatever they look like.
        let end = given.firstIndex(of: Array("--".utf8)) ?? given.count
        var arguments = given.prefix(1) + given[1..<max(1, end)].filter { !isRemoved($0) }.map { replacement(of: $0) }
        if let insert {
            guard let at = place(of: insert, in: arguments) else { return nil }
            arguments.insert(contentsOf: insert.arguments, at: at)
        }
        let optionsChanged = Array(arguments) != Array(given[..<end])
        if !replace.isEmpty || !remove.isEmpty || insert != nil, !optionsChanged { return nil }
        let rewriting = Rewriting(program: program, arguments: arguments + given[max(1, end)...] + append, variables: set)
        return rewriting.arguments == given && program == nil && set.isEmpty && sql == nil ? nil : rewriting
    }

    private func isRemoved(_ argument: [UInt8]) -> Bool { remove.contains { $0.matches(argument.span) } }

    private func replacement(of argument: [UInt8]) -> [UInt8] { replace.first { $0.old == argument }?.new ?? argument }

    private func place(of insertion: Insertion, in arguments: ArraySlice<[UInt8]>) -> Int? {
        guard let after = insertion.after else { return 1 }
        return arguments.dropFirst().firstIndex(of: after).map { $0 + 1 }
    }
}
