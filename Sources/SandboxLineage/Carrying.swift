/// A set of data classes: one bit each, in the order of the profile.
package typealias Classes = UInt64

/// Something that data can be in, as far as the supervisor tells things apart.
package enum Holder: Hashable, Sendable {
    /// The serial within the session.
    case process(UInt32)
    /// With a number that counts how often its inode was used anew (`Carrying.file`).
    case file(Inode, UInt32)
    /// A pipe, or a pair of sockets.
    case channel(Inode)
    /// An address outside the session, or a socket inside it, by number.
    case socket(UInt64)
    /// What several processes have open together, by inheritance.
    case descriptors(UInt32)
}

/// One step on the way of a class.
package struct CarryingStep: Hashable, Sendable {
    package var from: Holder
    package var to: Holder
}

/// Which data classes each process, file, pipe and socket of a live session carries.
///
/// Reading and writing go on untouched, so what counts is who *may* pass data to whom: an opened file flows to who opened
/// it for as long as that one lives, and what a process learns later flows into all that it has open. A way is kept as an edge,
/// and classes only ever spread along edges, in whatever order they come. Used under its owner's lock.
package struct Carrying: Sendable {
    private struct Node: Sendable {
        var classes: Classes = 0
        /// What is never passed on: a program that masks what it reads.
        var released: Classes = 0
        var next: Set<Holder> = []
        /// Where each class came from first; nil where it began here.
        var causes: [(classes: Classes, from: Holder?)] = []
    }

    private struct Process: Sendable {
        var parent: UInt32
        /// It has run no program of its own since it was forked.
        var isFork = true
        /// What it may write into and read from, in parts; what is opened next goes into a part of its own, where there is one.
        var written: [Holder] = []
        var read: [Holder] = []
        var hasOwnWritten = false
        var hasOwnRead = false
        /// The pipes that were there when its program began.
        var held: Set<Inode> = []
    }

    private var nodes: [Holder: Node] = [:]
    private var processes: [UInt32: Process] = [:]
    private var children: [UInt32: Set<UInt32>] = [:]
    private var parts: UInt32 = 0
    private var deletions: [Inode: UInt32] = [:]

    package init() {}

    // MARK: Questions

    /// The file that has this inode now.
    package func file(_ inode: Inode) -> Holder { .file(inode, deletions[inode] ?? 0) }

    package func carries(_ holder: Holder) -> Classes { nodes[holder]?.classes ?? 0 }

    /// The sockets that a class would newly reach if `process` could read something with `classes`: to be asked before it is
    /// let, because what is sent on an open connection is not seen.
    package func outlets(of process: UInt32, for classes: Classes) -> [(socket: UInt64, classes: Classes)] {
        var reached: [Holder: Classes] = [:], left: [(Holder, Classes)] = [(.process(process), classes)]
        while let (holder, coming) = left.popLast() {
            guard let node = nodes[holder] else { continue }
            let new = coming & ~node.classes & ~(reached[holder] ?? 0)
            if new == 0 { continue }
            reached[holder, default: 0] |= new
            for next in node.next where new & ~node.released != 0 { left.append((next, new & ~node.released)) }
        }
        return reached.compactMap { holder, classes in
            guard case .socket(let number) = holder else { return nil }
            return (number, classes)
        }.sorted { $0.socket < $1.socket }
    }

    /// How one class came to be there, from where it began; empty where it is not.
    package func why(_ holder: Holder, carries one: Classes) -> [CarryingStep] {
        var steps: [CarryingStep] = [], at = holder, seen: Set<Holder> = [holder]
        while let cause = nodes[at]?.causes.first(where: { $0.classes & one != 0 }), let from = cause.from, seen.insert(from).inserted {
            steps.append(CarryingStep(from: from, to: at))
            at = from
        }
        return steps.reversed()
    }

    // MARK: Files and sockets

    /// A rule, a table or a look at the content says so.
    package mutating func classify(_ holder: Holder, as classes: Classes) { add(classes, to: holder, from: nil) }

    package mutating func didRead(_ process: UInt32, _ file: Inode) {
        let part = readPart(of: process)
        join(self.file(file), part)
    }

    package mutating func willWrite(_ process: UInt32, _ file: Inode) {
        let part = writtenPart(of: process)
        join(part, self.file(file))
    }

    /// The file's last name is gone: what has its inode next is another. Who has it open keeps what it has.
    package mutating func deleted(_ file: Inode) { deletions[file, default: 0] += 1 }

    /// Data may go out, and come in.
    package mutating func connected(_ process: UInt32, _ socket: UInt64) {
        join(writtenPart(of: process), .socket(socket))
        join(.socket(socket), readPart(of: process))
    }

    /// Two processes that can reach each other: a local connection, over which descriptors go as well, or shared memory.
    package mutating func linked(_ one: UInt32, _ other: UInt32) {
        join(.process(one), .process(other))
        join(.process(other), .process(one))
    }

    // MARK: Processes

    /// A child has what its parent had: its memory, and what it had open. What the parent opens later is its own.
    package mutating func forked(_ child: UInt32, from parent: UInt32) {
        var process = Process(parent: parent)
        if let above = processes[parent] {
            process.written = above.written
            process.read = above.read
            process.held = above.held
            // Both go on with parts of their own.
            processes[parent]?.hasOwnWritten = false
            processes[parent]?.hasOwnRead = false
        }
        processes[child] = process
        children[parent, default: []].insert(child)
        for part in process.written { join(.process(child), part) }
        for part in process.read { join(part, .process(child)) }
        add(carries(.process(parent)), to: .process(child), from: .process(parent))
        // A pipe between the two would not be seen before a program is run on it.
        linked(parent, child)
    }

    /// A program of its own: of the pipes, it has just these. Memory is gone, arguments and environment are its parent's words.
    package mutating func ran(_ process: UInt32, holding channels: [(channel: Inode, reads: Bool, writes: Bool)], releases: Classes = 0) {
        guard let parent = processes[process]?.parent else { return }
        processes[process]?.isFork = false
        processes[process]?.held = Set(channels.map(\.channel))
        nodes[.process(process), default: Node()].released = releases
        // It can give nothing back to its parent but through what it holds.
        nodes[.process(process)]?.next.remove(.process(parent))
        nodes[.process(parent)]?.next.remove(.process(process))
        for (channel, reads, writes) in channels {
            if reads { join(.channel(channel), .process(process)) }
            if writes { join(.process(process), .channel(channel)) }
            // Whoever made it has both ends, and so has what came of that one by fork alone.
            for member in makers(of: channel, above: process) {
                join(.channel(channel), .process(member))
                join(.process(member), .channel(channel))
            }
        }
    }

    package mutating func ended(_ process: UInt32) {
        guard let known = processes.removeValue(forKey: process) else { return }
        children[known.parent]?.remove(process)
        // What came of it by fork, or hung on it, stays with the one above.
        for child in children.removeValue(forKey: process) ?? [] {
            processes[child]?.parent = known.parent
            children[known.parent, default: []].insert(child)
        }
        nodes[.process(process)]?.next = []
        // What it carried explains what others carry.
        if carries(.process(process)) == 0 { nodes[.process(process)] = nil }
    }

    // MARK: Edges

    private func makers(of channel: Inode, above process: UInt32) -> [UInt32] {
        var at = processes[process]?.parent
        while let next = at, let above = processes[next], above.held.contains(channel) { at = above.parent }
        guard var root = at, processes[root] != nil else { return [] }
        while let known = processes[root], known.isFork, processes[known.parent] != nil { root = known.parent }
        var found = [root], next = 0
        while next < found.count {
            found += (children[found[next]] ?? []).filter { processes[$0]?.isFork ?? false }
            next += 1
        }
        return found
    }

    /// The part into which a process opens things for writing now.
    private mutating func writtenPart(of process: UInt32) -> Holder {
        var known = processes[process] ?? Process(parent: 0, isFork: false)
        if known.hasOwnWritten, let last = known.written.last { return last }
        let part = newPart()
        known.written.append(part)
        known.hasOwnWritten = true
        processes[process] = known
        join(.process(process), part)
        return part
    }

    private mutating func readPart(of process: UInt32) -> Holder {
        var known = processes[process] ?? Process(parent: 0, isFork: false)
        if known.hasOwnRead, let last = known.read.last { return last }
        let part = newPart()
        known.read.append(part)
        known.hasOwnRead = true
        processes[process] = known
        join(part, .process(process))
        return part
    }

    private mutating func newPart() -> Holder {
        parts += 1
        return .descriptors(parts)
    }

    private mutating func join(_ from: Holder, _ to: Holder) {
        guard from != to, nodes[from, default: Node()].next.insert(to).inserted else { return }
        if let node = nodes[from] { add(node.classes & ~node.released, to: to, from: from) }
    }

    private func isOver(_ holder: Holder) -> Bool {
        guard case .process(let serial) = holder else { return false }
        return processes[serial] == nil
    }

    private mutating func add(_ classes: Classes, to holder: Holder, from: Holder?) {
        var left: [(to: Holder, classes: Classes, from: Holder?)] = [(holder, classes, from)]
        while let (to, coming, from) = left.popLast() {
            let new = coming & ~nodes[to, default: Node()].classes
            if new == 0 || isOver(to) { continue }
            var node = nodes[to] ?? Node()
            node.classes |= new
            node.causes.append((new, from))
            nodes[to] = node
            let passed = new & ~node.released
            if passed != 0 { for next in node.next { left.append((next, passed, to)) } }
        }
    }
}
