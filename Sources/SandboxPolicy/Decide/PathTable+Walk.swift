extension PathTable {
    /// What matches `path`, and what could match below it.
    /// - Returns: false where the path is not absolute and resolved; then nothing may be allowed on its account.
    func walk(_ path: Span<UInt8>, _ hits: inout Hits) -> Bool {
        var walk = Walk()
        var isCanonical = path.count > 0 && path[0] == UInt8(ascii: "/")
        var start = isCanonical ? 1 : 0
        enter(0, last: start >= path.count, &walk, &hits)
        while start < path.count {
            var hash = Self.hashStart
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") {
                hash = Self.hash(hash, path[end])
                end += 1
            }
            let last = end + 1 >= path.count
            if end == start || isDots(path, start, end) {
                isCanonical = false
            } else {
                step(path, start, end, hash, last: last, &walk, &hits)
            }
            start = end + 1
        }
        if path.count > 1, path[path.count - 1] == UInt8(ascii: "/") { isCanonical = false }
        noteBelow(&walk, &hits)
        return isCanonical
    }

    private struct Walk {
        /// Nodes reached by the last name are `[from ..< to]`, those that stay active are `loops`.
        var active = StateSet()
        var from = 0
        var loops = StateSet()
    }

    @inline(__always)
    private func isDots(_ path: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard path[start] == UInt8(ascii: "."), end - start <= 2 else { return false }
        return end - start == 1 || path[start + 1] == UInt8(ascii: ".")
    }

    @inline(__always)
    private func step(
        _ path: Span<UInt8>, _ start: Int, _ end: Int, _ hash: UInt64, last: Bool, _ walk: inout Walk, _ hits: inout Hits
    ) {
        let from = walk.from, to = walk.active.count, loops = walk.loops.count
        walk.from = to
        for i in from..<to { follow(walk.active[i], path, start, end, hash, last, &walk, &hits) }
        for i in 0..<loops { follow(walk.loops[i], path, start, end, hash, last, &walk, &hits) }
    }

    @inline(__always)
    private func follow(
        _ node: Int32, _ path: Span<UInt8>, _ start: Int, _ end: Int, _ hash: UInt64, _ last: Bool,
        _ walk: inout Walk, _ hits: inout Hits
    ) {
        for p in nodes[Int(node)].probes {
            let probe = probes[Int(p)]
            let length = Int(probe.length)
            if length > end - start { continue }
            let part: UInt64 =
                switch probe.kind {
                case .whole: hash
                case .prefix: Self.hash(path, start, start + length)
                case .suffix: Self.hash(path, end - length, end)
                case .always: Self.hashStart
                }
            var e = find(Self.key(node, probe, part))
            while e >= 0 {
                let edge = edges[Int(e)]
                if edge.source == node, edge.probe == probe, matches(edge, path, start, end) {
                    enter(edge.target, last: last, &walk, &hits)
                }
                e = edge.next
            }
        }
    }

    @inline(__always)
    private static func hash(_ path: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
        var hash = hashStart
        for i in start..<end { hash = Self.hash(hash, path[i]) }
        return hash
    }

    @inline(__always)
    private func find(_ key: UInt64) -> Int32 {
        let mask = slots.count - 1
        var i = Int(truncatingIfNeeded: key) & mask
        while slots[i].edge >= 0 {
            if slots[i].key == key { return slots[i].edge }
            i = (i + 1) & mask
        }
        return -1
    }

    @inline(__always)
    private func matches(_ edge: Edge, _ path: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let code = Int(edge.code.lowerBound), count = edge.code.count
        guard edge.probe.kind == .whole else {
            return Glob.matches(pool.span, code, code + count, path, start, end)
        }
        guard count == end - start else { return false }
        for i in 0..<count where pool[code + i] != path[start + i] { return false }
        return true
    }

    @inline(__always)
    private func enter(_ target: Int32, last: Bool, _ walk: inout Walk, _ hits: inout Hits) {
        let node = nodes[Int(target)]
        for i in node.subtree {
            let accept = accepts[Int(i)]
            hits.record(accept)
            if accept.tag == .fileWrite { hits.writesWhole = true }
        }
        if last { for i in node.exact { hits.record(accepts[Int(i)]) } }
        if !node.probes.isEmpty { walk.active.append(target) }
        if node.loop >= 0 { walk.loops.appendOnce(node.loop) }
    }

    /// A pattern that is half matched here is bound to this place. The loop at the root is not: what begins with
    /// `**` and has not begun to match will match wherever the folder is moved to.
    @inline(__always)
    private func noteBelow(_ walk: inout Walk, _ hits: inout Hits) {
        for i in walk.from..<walk.active.count { hits.below = min(hits.below, nodes[Int(walk.active[i])].below) }
        for i in 0..<walk.loops.count where walk.loops[i] != nodes[0].loop {
            hits.below = min(hits.below, nodes[Int(walk.loops[i])].below)
        }
    }
}
