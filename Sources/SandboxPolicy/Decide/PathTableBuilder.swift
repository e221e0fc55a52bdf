/// Grows the trie, then lays it out flat.
struct PathTableBuilder {
    private final class Branch {
        /// In the order of their coming, so that the same profile gives the same table.
        private(set) var children: [(component: PathPattern.Component, branch: Branch)] = []
        /// Where each is, once there are many: most branches have one.
        private var places: [PathPattern.Component: Int] = [:]
        private static let few = 8
        var loop: Branch?
        var exact = Accepts()
        var subtree = Accepts()

        func child(_ component: PathPattern.Component) -> Branch {
            let isLarge = children.count > Branch.few
            let place = isLarge ? places[component] : children.firstIndex { $0.component == component }
            if let place { return children[place].branch }
            let new = Branch()
            children.append((component, new))
            if isLarge {
                places[component] = children.count - 1
            } else if children.count > Branch.few {
                for (i, child) in children.enumerated() { places[child.component] = i }
            }
            return new
        }
    }
    private let root = Branch()

    /// What one place decides: mostly nothing, seldom more than one thing.
    private struct Accepts {
        var list: [PathTable.Accept] = []

        /// Rules come in their order: what is there twice is at the end, and the list may be long.
        mutating func insert(_ accept: PathTable.Accept) {
            for other in list.reversed() {
                if other == accept { return }
                if other.rule != accept.rule { break }
            }
            list.append(accept)
        }

        /// The lowest place-bound rule.
        var lowest: UInt16 {
            var lowest = Hits.none
            for accept in list where accept.tag.isPlaceBound { lowest = min(lowest, accept.rule) }
            return lowest
        }
    }

    mutating func add(_ components: [PathPattern.Component], _ tag: Tag, _ rule: UInt16) {
        let accept = PathTable.Accept(tag: tag, rule: rule)
        var at = root
        for (i, component) in components.enumerated() {
            if component == .anyDepth {
                if i == components.count - 1 {
                    at.subtree.insert(accept)
                    return
                }
                if at.loop == nil { at.loop = Branch() }
                at = at.loop ?? at
            } else {
                at = at.child(component)
            }
        }
        at.exact.insert(accept)
    }

    func table() -> PathTable {
        var layout = Layout()
        layout.place(root)
        layout.fillSlots()
        return layout.table
    }

    private struct Layout {
        var table = PathTable(nodes: [], probes: [], edges: [], accepts: [], pool: [], slots: [])

        /// - Returns: the node's index, and the lowest place-bound rule decided at it or below.
        @discardableResult
        mutating func place(_ branch: Branch) -> (index: Int32, within: UInt16) {
            let index = Int32(table.nodes.count)
            table.nodes.append(PathTable.Node())
            var node = PathTable.Node()
            node.exact = place(branch.exact)
            node.subtree = place(branch.subtree)
            var probes: [PathTable.Probe] = []
            for (component, child) in branch.children {
                let placed = place(child)
                node.below = min(node.below, placed.within)
                let edge = edge(component, from: index, to: placed.index)
                if !probes.contains(edge.probe) { probes.append(edge.probe) }
                table.edges.append(edge)
            }
            if let loop = branch.loop {
                let placed = place(loop)
                node.loop = placed.index
                node.below = min(node.below, placed.within)
            }
            node.probes = Int32(table.probes.count)..<Int32(table.probes.count + probes.count)
            table.probes += probes
            table.nodes[Int(index)] = node
            return (index, min(node.below, branch.exact.lowest, branch.subtree.lowest))
        }

        private mutating func place(_ accepts: Accepts) -> Range<Int32> {
            let start = Int32(table.accepts.count)
            table.accepts +=
                accepts.list.count < 2 ? accepts.list : accepts.list.sorted { ($0.tag.rawValue, $0.rule) < ($1.tag.rawValue, $1.rule) }
            return start..<Int32(table.accepts.count)
        }

        private mutating func edge(_ component: PathPattern.Component, from: Int32, to: Int32) -> PathTable.Edge {
            var probe = PathTable.Probe(kind: .always, length: 0)
            let start = Int32(table.pool.count)
            switch component {
            case .literal(let name):
                probe = PathTable.Probe(kind: .whole, length: 0)
                table.pool += name
            case .glob(let glob):
                let ends = glob.ends
                if !ends.prefix.isEmpty {
                    probe = PathTable.Probe(kind: .prefix, length: UInt16(clamping: ends.prefix.count))
                } else if !ends.suffix.isEmpty {
                    probe = PathTable.Probe(kind: .suffix, length: UInt16(clamping: ends.suffix.count))
                }
                table.pool += glob.code
            case .anyDepth: preconditionFailure("`**` is a loop, not an edge")
            }
            return PathTable.Edge(source: from, probe: probe, code: start..<Int32(table.pool.count), target: to, next: -1)
        }

        mutating func fillSlots() {
            var size = 4
            while size < table.edges.count * 2 + 2 { size *= 2 }
            table.slots = Array(repeating: PathTable.Slot(), count: size)
            for i in table.edges.indices { insert(Int32(i)) }
        }

        private mutating func insert(_ index: Int32) {
            let edge = table.edges[Int(index)]
            let key = PathTable.key(edge.source, edge.probe, hash(edge))
            var i = Int(truncatingIfNeeded: key) & (table.slots.count - 1)
            while table.slots[i].edge >= 0, table.slots[i].key != key { i = (i + 1) & (table.slots.count - 1) }
            table.edges[Int(index)].next = table.slots[i].edge
            table.slots[i] = PathTable.Slot(key: key, edge: index)
        }

        private func hash(_ edge: PathTable.Edge) -> UInt64 {
            let code = Array(table.pool[Int(edge.code.lowerBound)..<Int(edge.code.upperBound)])
            let bytes: [UInt8] =
                switch edge.probe.kind {
                case .whole: code
                case .prefix: Glob(code: code).ends.prefix
                case .suffix: Glob(code: code).ends.suffix
                case .always: []
                }
            return PathTable.hash(bytes)
        }
    }
}
