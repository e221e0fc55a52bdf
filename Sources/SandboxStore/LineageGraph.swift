package import SandboxLineage
internal import SandboxModel

/// What the graph answered, with all that people want to know of each node.
package struct LineageGraph: Sendable {
    package struct Object: Sendable {
        package var kind: ObjectKind
        package var name: [UInt8]
        package var device: UInt64
        package var inode: UInt64
        package var born: UInt64?
        package var ended: UInt64?
    }

    package struct Process: Sendable {
        package var pid: Int32
        package var started: UInt64
        package var ended: UInt64?
        package var status: Int32?
        package var program: [UInt8]?
        package var arguments: [[UInt8]]
    }

    package var target: String
    /// One for each direction that was asked for.
    package var answers: [Answer]
    package var objects: [ObjectID: Object] = [:]
    package var processes: [ProcessID: Process] = [:]
    package var sessions: [Int64: SessionRow] = [:]
    /// The name of the store's first session stands for the store: no other has it.
    package var store = ""

    package init(target: String, answers: [Answer]) {
        self.target = target
        self.answers = answers
    }

    package var isCut: Bool { answers.contains(where: \.isCut) }
    /// So many edges at the node were left out.
    func more(_ node: NodeID) -> Int { answers.reduce(0) { $0 + ($1.more[node] ?? 0) } }

    /// In the order in which they were met, each once.
    var nodes: [NodeID] {
        var seen: Set<NodeID> = []
        return answers.flatMap { $0.nodes.map(\.id) }.filter { seen.insert($0).inserted }
    }

    /// Both of its nodes are there.
    var flows: [Flow] {
        let known = Set(nodes)
        var seen: Set<Flow> = []
        return answers.flatMap(\.flows).filter { known.contains($0.from) && known.contains($0.to) && seen.insert($0).inserted }
    }

    /// Stable within one state directory.
    static func identifier(_ node: NodeID) -> String {
        switch node {
        case .object(let id): "o\(id.rawValue)"
        case .process(let id): "p\(id.session)_\(id.serial)"
        }
    }

    /// A name in one line, for pictures and trees; not escaped.
    func label(_ node: NodeID) -> [UInt8] {
        switch node {
        case .object(let id): return objects[id]?.name ?? Array("?".utf8)
        case .process(let id):
            guard let process = processes[id] else { return Array("?".utf8) }
            let name = process.program?.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? Array("?".utf8)
            return name + Array("[\(process.pid)]".utf8)
        }
    }
}

extension Flow {
    /// The words for it: `read`, `created wrote`, `started`.
    var words: [String] {
        switch kind {
        case .access(let relations): relations.names
        case .started: ["started"]
        case .descriptor: ["perhaps"]
        }
    }
}
