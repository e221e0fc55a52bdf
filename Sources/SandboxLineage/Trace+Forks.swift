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
        for member in try busyForks(of: process) where member.started <= bound {
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
        for member in try busyForks(of: process) where member.started < bound && member.ended ?? .max >= bound {
            visit(.process(member.id), bound, depth + 1)
            recordPerhaps(from: life, to: member)
        }
    }

    /// What has come of the first one by fork alone and had to do with a file, a socket or a pipe: most subshells had not.
    private mutating func busyForks(of process: ProcessID) throws(Source.Failure) -> [ProcessLife] {
        if let known = busy[process] { return known }
        var found: [ProcessLife] = []
        if try source.process(process)?.hasRun != false {
            for fork in try forks(of: process) where try isBusy(fork.id) { found.append(fork) }
        }
        busy[process] = found
        return found
    }

    private mutating func isBusy(_ process: ProcessID) throws(Source.Failure) -> Bool {
        let touched: Relations = direction == .upstream ? .inward : .outward
        for edge in try edges(of: process, touched) where try source.kind(of: edge.object) != .system { return true }
        return false
    }

    private mutating func recordPerhaps(from: ProcessLife, to: ProcessLife) {
        let time = max(from.started, to.started)
        record(Flow(from: .process(from.id), to: .process(to.id), kind: .descriptor, first: time, last: time, count: 1))
    }
}
