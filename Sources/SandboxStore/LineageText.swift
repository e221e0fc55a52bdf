internal import SandboxLineage
internal import SandboxModel

/// The graph for people: a tree for each direction. All that comes from outside goes through `Escaped`.
package enum LineageText {
    package static func tree(_ graph: LineageGraph, style: TextStyle) -> String {
        var text = style.bold(Escaped.text(graph.target)) + "\n"
        for answer in graph.answers {
            text += "  " + style.bold(answer.direction == .upstream ? "came from" : "went to") + "\n"
            let lines = Tree(graph, answer, style).lines
            text += lines.isEmpty ? "    nothing that is on record\n" : lines.map { "    " + $0 + "\n" }.joined()
        }
        if graph.isCut { text += style.dim("there is more: narrow it with --depth, --since or --identity") + "\n" }
        return text
    }

    private struct Tree {
        private let graph: LineageGraph
        private let answer: Answer
        private let style: TextStyle
        private let next: [NodeID: [Flow]]
        private(set) var lines: [String] = []

        init(_ graph: LineageGraph, _ answer: Answer, _ style: TextStyle) {
            self.graph = graph
            self.answer = answer
            self.style = style
            let isUpstream = answer.direction == .upstream
            next = Dictionary(grouping: answer.flows) { isUpstream ? $0.to : $0.from }
            draw()
        }

        private func far(_ flow: Flow) -> NodeID { answer.direction == .upstream ? flow.from : flow.to }

        private mutating func draw() {
            var shown = Set(answer.roots)
            // What is open, the last first: a node below its root, or a line that sums some up.
            var open: [(line: String, node: NodeID?, depth: Int)] = []
            func push(below node: NodeID, _ depth: Int) {
                let (steps, summaries) = children(of: node)
                for summary in summaries.reversed() { open.append((style.dim(summary), nil, depth)) }
                for flows in steps.reversed() { open.append((line(flows), far(flows[0]), depth)) }
            }
            let many = answer.roots.count > 1
            for root in answer.roots.reversed() {
                if many { open.append((label(root), root, 0)) } else { push(below: root, 0) }
            }
            while let (line, node, depth) = open.popLast() {
                let isRoot = many && depth == 0 && node.map(answer.roots.contains) ?? false
                let isNew = node.map { shown.insert($0).inserted } ?? true
                let repeats = !isNew && !isRoot && node.map { next[$0] != nil } ?? false
                lines.append(String(repeating: "  ", count: min(depth, 30)) + line + (repeats ? style.dim("  (shown above)") : ""))
                if let node, isNew || isRoot { push(below: node, depth + 1) }
            }
        }

        /// By the node at the other side; files of the system that lead nowhere are one line, and what was left out is another.
        private func children(of node: NodeID) -> (steps: [[Flow]], summaries: [String]) {
            var order: [NodeID] = []
            var byNode: [NodeID: [Flow]] = [:]
            for flow in (next[node] ?? []).sorted(by: { $0.first < $1.first }) {
                let other = far(flow)
                if byNode[other] == nil { order.append(other) }
                byNode[other, default: []].append(flow)
            }
            let plain = order.filter { isOfSystem($0) }
            let hidden = plain.count > 1 ? Set(plain) : []
            var summaries = hidden.isEmpty ? [] : ["\(hidden.count) files of the system"]
            if let more = answer.more[node] { summaries.append("and \(more) more" + (answer.uncounted.contains(node) ? " at least" : "")) }
            return (order.filter { !hidden.contains($0) }.map { byNode[$0] ?? [] }, summaries)
        }

        private func isOfSystem(_ node: NodeID) -> Bool {
            guard case .object(let id) = node, let object = graph.objects[id], next[node] == nil else { return false }
            return object.kind == .system || LineageText.systemFolders.contains { object.name.starts(with: $0.utf8) }
        }

        private func line(_ flows: [Flow]) -> String {
            var words: [String] = []
            for word in flows.flatMap(\.words) where !words.contains(word) { words.append(word) }
            let count = flows.reduce(0) { $0 + $1.count }
            let first = flows.map(\.first).min() ?? 0
            return label(far(flows[0])) + style.dim("  " + words.joined(separator: ", ") + (count > 1 ? " ×\(count)" : ""))
                + style.dim("  " + Timestamp.text(first))
        }

        private func label(_ node: NodeID) -> String {
            switch node {
            case .object(let id):
                let ended = graph.objects[id]?.ended != nil
                return Escaped.text(graph.label(node)) + (ended ? style.dim("  (gone)") : "")
            case .process(let id):
                let process = graph.processes[id]
                let command = Escaped.commandLine(process?.arguments ?? [])
                let session = graph.sessions.count > 1 ? "  in " + Escaped.text(graph.sessions[id.session]?.info.id ?? "?") : ""
                return Escaped.text(graph.label(node)) + "  " + (command.count <= 100 ? command : command.prefix(99) + "…")
                    + style.dim(session)
            }
        }
    }

    /// What every program reads; `/usr/include` is not among it.
    private static let systemFolders = ["/usr/lib", "/lib", "/etc/", "/usr/share/", "/usr/libexec/", "/usr/bin/", "/bin/", "/sbin/"]
}
