/// One program in several processes (a shell and its subshells, a pool of workers, `rsync`): by fork alone they have pipes, pairs of sockets
/// and memory in common that no record tells of. So what one of them took in while another lived may have come to that one.
///
/// The first of them stands between the others: whatever goes from one to another is shown as going through it.
extension Trace {
    mutating func throughForks(_ process: ProcessID, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        guard let life = try source.process(process), let root = try root(of: process) else { return }
        if root.id != process {
            visit(.process(root.id), min(bound, life.ended ?? .max, root.ended ?? .max), depth + 1)
            recordPerhaps(from: root, to: life)
        }
        // Who has read the same, and later, stands for the others: of a loop of a thousand subshells one is enough.
        var reached: [ObjectID: UInt64] = [:]
        for (member, touched) in try busyForks(of: process).reversed() where member.started <= bound {
            let isMore = touched.filter { $0.first <= bound && reached[$0.object] ?? 0 < min($0.last, bound) }
            if isMore.isEmpty { continue }
            for edge in isMore { reached[edge.object] = min(edge.last, bound) }
            visit(.process(member.id), min(bound, member.ended ?? .max), depth + 1)
            recordPerhaps(from: member, to: life)
        }
    }

    /// Those that are started later have it from the beginning.
    mutating func throughForks(_ process: ProcessID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        guard let life = try source.process(process), let root = try root(of: process) else { return }
        if root.id != process, root.ended ?? .max >= bound {
            visit(.process(root.id), bound, depth + 1)
            recordPerhaps(from: life, to: root)
        }
        for (member, _) in try busyForks(of: process) where member.started < bound && member.ended ?? .max >= bound {
            visit(.process(member.id), bound, depth + 1)
            recordPerhaps(from: life, to: member)
        }
    }

    /// What has come of the first one by fork alone and had to do with a file, a socket or a pipe: most subshells had not.
    private mutating func busyForks(of process: ProcessID) throws(Source.Failure) -> [(life: ProcessLife, touched: [Edge])] {
        if let known = busy[process] { return known }
        var found: [(ProcessLife, [Edge])] = []
        if try source.process(process)?.hasRun != false {
            for fork in try forks(of: process).sorted(by: { $0.id < $1.id }) {
                var touched: [Edge] = []
                for edge in try edges(of: fork.id, direction == .upstream ? .inward : .outward)
                where try source.kind(of: edge.object) != .system { touched.append(edge) }
                if !touched.isEmpty { found.append((fork, touched)) }
            }
        }
        busy[process] = found
        return found
    }

    private mutating func recordPerhaps(from: ProcessLife, to: ProcessLife) {
        let time = max(from.started, to.started)
        record(Flow(from: .process(from.id), to: .process(to.id), kind: .descriptor, first: time, last: time, count: 1))
    }
}
