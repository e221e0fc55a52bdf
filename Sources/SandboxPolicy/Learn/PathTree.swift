internal import SandboxModel

/// What was seen of one thing, or of all that one line stands for.
package struct Evidence: Hashable, Sendable {
    package var count: UInt64 = 0
    /// How often by which program.
    package var programs: [String: UInt64] = [:]
    /// The first few by name, and how many there are in all.
    package var examples: [String] = []
    package var things = 0
    private static let mostExamples = 3

    package init() {}

    package mutating func add(_ count: UInt64, by program: String) {
        self.count += count
        programs[program, default: 0] += count
    }

    /// Of these things, each once.
    package mutating func isAbout(_ things: Set<String>) {
        self.things = things.count
        examples = Array(things.sorted().prefix(Evidence.mostExamples))
    }

    package mutating func add(_ other: Evidence) {
        count += other.count
        programs.merge(other.programs) { $0 + $1 }
        things += other.things
        examples = Array((examples + other.examples).sorted().prefix(Evidence.mostExamples))
    }

    /// As a comment has it.
    package func text(isPattern: Bool) -> String {
        let by = programs.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3).map(\.key).filter { !$0.isEmpty }
        var text = "\(count)×" + (by.isEmpty ? "" : " by " + by.joined(separator: ", ")) + (programs.count > 3 ? " …" : "")
        if isPattern {
            let more = things - examples.count
            text += ": " + examples.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        }
        return text
    }
}

/// Paths that were used in one way, and the few patterns that stand for them: what lies side by side becomes a glob once there is
/// enough of it, and what a session made itself is its own with all that is in it.
package final class PathTree {
    package struct Line: Hashable, Sendable {
        package var text: String
        package var evidence: Evidence
        /// One of the paths, with its variable.
        package var example: String
        package var isPattern: Bool { text != example }
    }

    private final class Node {
        var children: [String: Node] = [:]
        var evidence = Evidence()
        /// The paths that were used themselves.
        var paths: Set<String> = []
        var isMade = false
        var isWhole = false
    }

    /// So many side by side are all of them.
    package static let enough = 4
    /// More lines than this below one folder are the folder.
    package static let mostLines = 6
    private static let deepest = 40

    private struct Place {
        let node: Node
        let names: [String]
        /// The path itself, with its variable.
        let literal: String
    }
    private struct Folder: Hashable {
        let anchor: Places.Anchor
        let rest: ArraySlice<UInt8>
    }

    private var roots: [Places.Anchor: Node] = [:]
    private var folders: [Folder: Place] = [:]
    /// `Places.above` of all sessions.
    private let above: Set<String>
    /// Programs: no folder of them stands for what was started from it.
    private let isForPrograms: Bool

    package init(above: Set<String>, isForPrograms: Bool = false) {
        self.above = above
        self.isForPrograms = isForPrograms
    }

    /// `isMade`: the session has made it, with all that is in it. `isWhole`: a folder that was used with all that is in it.
    package func add(_ path: [UInt8], in places: Places, _ count: UInt64, by program: String, isMade: Bool = false, isWhole: Bool = false) {
        let (anchor, rest) = places.place(path)
        var node = place(anchor, rest[..<(rest.lastIndex(of: 0x2f) ?? rest.startIndex)])
        if let start = rest.lastIndex(of: 0x2f) { node = next(rest[(start + 1)...], node, anchor) }
        node.node.evidence.add(count, by: program)
        node.node.paths.insert(node.literal)
        if isMade { node.node.isMade = true }
        if isWhole { node.node.isWhole = true }
    }

    /// A folder; most that comes lies in one that is known.
    private func place(_ anchor: Places.Anchor, _ folder: ArraySlice<UInt8>) -> Place {
        let key = Folder(anchor: anchor, rest: Array(folder)[...])
        if let known = folders[key] { return known }
        var place: Place
        if let start = folder.lastIndex(of: 0x2f) {
            place = next(folder[(start + 1)...], self.place(anchor, folder[..<start]), anchor)
        } else {
            place = Place(node: Node(), names: [], literal: Places.text(anchor, []))
            roots[anchor] = place.node
        }
        if place.names.count == PathTree.deepest {
            place = Place(node: child("**", of: place.node), names: place.names + ["**"], literal: place.literal)
        }
        folders[key] = place
        return place
    }

    private func next(_ name: ArraySlice<UInt8>, _ folder: Place, _ anchor: Places.Anchor) -> Place {
        let literal = NameShape.literal(name), path = (folder.literal == "/" ? "/" : folder.literal + "/") + literal
        if folder.names.count > PathTree.deepest { return Place(node: folder.node, names: folder.names, literal: path) }
        let shape = shape(name, literal, anchor, folder.names)
        return Place(node: child(shape, of: folder.node), names: folder.names + [shape], literal: path)
    }

    private func child(_ name: String, of node: Node) -> Node {
        if let known = node.children[name] { return known }
        let new = Node()
        node.children[name] = new
        return new
    }

    private func shape(_ name: ArraySlice<UInt8>, _ literal: String, _ anchor: Places.Anchor, _ folder: [String]) -> String {
        let shape = NameShape.pattern(name)
        if shape == literal || NameShape.literalBytes(shape) < 2 && !mayBeWhole(anchor, folder) { return literal }
        return crosses(Places.text(anchor, folder), shape) ? literal : shape
    }

    /// It would take in a folder that holds another place.
    private func crosses(_ folder: String, _ shape: String) -> Bool {
        let glob = ByteGlob(shape), beginning = folder == "/" ? "/" : folder + "/"
        return above.contains { $0.hasPrefix(beginning) && glob.matches(Array($0.dropFirst(beginning.count).utf8)) }
    }

    private func mayBeWhole(_ anchor: Places.Anchor, _ names: [String]) -> Bool {
        if isForPrograms, let last = names.last, ["bin", "sbin", "libexec", "games"].contains(last) { return false }
        return !above.contains(Places.text(anchor, names)) && Places.mayBeWhole(anchor, names[...])
    }

    // MARK: Lines

    package var lines: [Line] {
        Places.Anchor.allCases.flatMap { anchor in
            roots[anchor].map { root in own(root, anchor, []).map { line($0, anchor) }.sorted { $0.text < $1.text } } ?? []
        }
    }

    private struct Found {
        var names: [String]
        var evidence: Evidence
    }

    private func line(_ found: Found, _ anchor: Places.Anchor) -> Line {
        let fixed = Places.text(anchor, found.names.prefix { !$0.contains("*") || $0.contains("\\*") })
        var evidence = found.evidence
        evidence.examples = evidence.examples.map {
            $0.hasPrefix(fixed + "/") ? String($0.dropFirst(fixed.count + 1)) : $0 == fixed ? "." : $0
        }
        return Line(text: Places.text(anchor, found.names), evidence: evidence, example: found.evidence.examples.first ?? "")
    }

    /// Of the folder itself and all that is in it.
    private func own(_ node: Node, _ anchor: Places.Anchor, _ names: [String]) -> [Found] {
        let inside = below(node, anchor, names)
        if node.paths.isEmpty { return inside }
        var own = Found(names: names, evidence: node.evidence)
        own.evidence.isAbout(node.paths)
        // `x/**` is `x` as well.
        if node.isWhole && mayBeWhole(anchor, names) || inside.count == 1 && inside[0].names == names + ["**"] {
            return [whole([own] + inside, names, "**")]
        }
        return [own] + inside
    }

    private func below(_ node: Node, _ anchor: Places.Anchor, _ names: [String]) -> [Found] {
        var leaves: [Found] = [], deep: [Found] = [], folders = 0
        for (name, child) in node.children.sorted(by: { $0.key < $1.key }) {
            let found = own(child, anchor, names + [name])
            if child.children.isEmpty {
                leaves += found
            } else {
                deep += found
                folders += 1
            }
        }
        guard mayBeWhole(anchor, names), !leaves.isEmpty || !deep.isEmpty else { return leaves + deep }
        if node.isMade || anchor == .tmp && names.isEmpty { return [whole(leaves + deep, names, "**")] }
        if leaves.count >= PathTree.enough { leaves = [whole(leaves, names, PathTree.common(leaves.map { $0.names.last ?? "" }))] }
        if folders >= PathTree.enough || folders > 0 && leaves.count + deep.count > PathTree.mostLines {
            return [whole(leaves + deep, names, "**")]
        }
        return leaves + deep
    }

    private func whole(_ all: [Found], _ names: [String], _ last: String) -> Found {
        var evidence = Evidence()
        for each in all { evidence.add(each.evidence) }
        return Found(names: names + [last], evidence: evidence)
    }

    /// `*.c` where all of them end so, else `*`.
    private static func common(_ names: [String]) -> String {
        let endings = Set(names.map { name in name.lastIndex(of: ".").map { $0 > name.startIndex ? String(name[$0...]) : "" } ?? "" })
        guard endings.count == 1, let ending = endings.first, ending.count > 1, !ending.contains("*") else { return "*" }
        return "*" + ending
    }
}
