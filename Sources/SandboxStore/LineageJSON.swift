internal import SandboxLineage
internal import SandboxModel

/// The graph as one JSON object.
package enum LineageJSON {
    package static func object(_ graph: LineageGraph) -> String {
        var object = JSONObject()
        object.put("target", graph.target)
        let directions = graph.answers.map { $0.direction == .upstream ? "\"upstream\"" : "\"downstream\"" }
        object.put("directions", raw: EventJSON.list(directions))
        var roots: [NodeID] = []
        for root in graph.answers.flatMap(\.roots) where !roots.contains(root) { roots.append(root) }
        object.put("roots", raw: EventJSON.list(roots.map { Escaped.json(LineageGraph.identifier($0)) }))
        object.put("nodes", raw: EventJSON.list(graph.nodes.map { node($0, graph) }))
        object.put("edges", raw: EventJSON.list(graph.flows.map(edge)))
        let sessions = graph.sessions.values.sorted { $0.number < $1.number }
        object.put("sessions", raw: EventJSON.list(sessions.map { EventJSON.line($0) }))
        if graph.isCut { object.put("cut", raw: "true") }
        return object.text
    }

    private static func node(_ node: NodeID, _ graph: LineageGraph) -> String {
        var object = JSONObject()
        object.put("id", LineageGraph.identifier(node))
        switch node {
        case .object(let id):
            guard let known = graph.objects[id] else { break }
            object.put("type", known.kind == .socket ? "socket" : known.kind == .pipe ? "pipe" : "file")
            object.put("name", bytes: known.name)
            if known.inode != 0 {
                object.put("device", known.device)
                object.put("inode", known.inode)
            }
            if let born = known.born { object.put("created", Timestamp.text(born)) }
            if let ended = known.ended { object.put("deleted", Timestamp.text(ended)) }
        case .process(let id):
            guard let known = graph.processes[id] else { break }
            object.put("type", "process")
            object.put("session", graph.sessions[id.session]?.info.id)
            object.put("identity", graph.sessions[id.session]?.info.identity)
            object.put("pid", raw: String(known.pid))
            object.put("serial", UInt64(id.serial))
            if let program = known.program { object.put("program", bytes: program) }
            object.put("args", bytes: known.arguments)
            object.put("started", Timestamp.text(known.started))
            if let ended = known.ended { object.put("ended", Timestamp.text(ended)) }
        }
        if graph.more(node) > 0 { object.put("more", UInt64(graph.more(node))) }
        return object.text
    }

    /// In the direction of the data.
    private static func edge(_ flow: Flow) -> String {
        var object = JSONObject()
        object.put("from", LineageGraph.identifier(flow.from))
        object.put("to", LineageGraph.identifier(flow.to))
        object.put("relations", raw: EventJSON.list(flow.words.map { Escaped.json($0) }))
        object.put("first", Timestamp.text(flow.first))
        object.put("last", Timestamp.text(flow.last))
        object.put("count", flow.count)
        return object.text
    }
}
