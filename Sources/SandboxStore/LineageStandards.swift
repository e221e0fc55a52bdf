internal import SandboxLineage
internal import SandboxModel

/// The graph in the W3C's PROV-JSON (submission of 24 April 2013): files and sockets are entities, processes activities,
/// identities agents.
package enum LineageProv {
    package static func document(_ graph: LineageGraph) -> String {
        var document = JSONObject()
        // Numbers of objects and processes are a store's own: two stores' documents may be put together.
        document.put("prefix", raw: "{\"sbx\":\"urn:sandbox:\(graph.store):\"}")
        var entities = JSONObject(), activities = JSONObject(), agents = JSONObject()
        for node in graph.nodes {
            switch node {
            case .object(let id): entities.put(name(node), raw: entity(graph.objects[id]))
            case .process(let id): activities.put(name(node), raw: activity(graph.processes[id]))
            }
        }
        var associations = JSONObject(), delegations = JSONObject(), known: Set<String> = []
        func agent(_ identity: String) -> String {
            let name = "sbx:a_" + identity.utf8.map { byte in isNameByte(byte) ? String(UnicodeScalar(byte)) : "_\(byte)_" }.joined()
            if known.insert(name).inserted { agents.put(name, raw: labelled(Array(identity.utf8), type: "Identity")) }
            return name
        }
        for node in graph.nodes {
            guard case .process(let id) = node, let session = graph.sessions[id.session] else { continue }
            let delegate = agent(session.info.identity)
            associations.put(
                "_:a_\(LineageGraph.identifier(node))", raw: pair(("prov:activity", name(node)), ("prov:agent", delegate)))
            guard let principal = session.info.onBehalfOf, known.insert("\(delegate) \(principal)").inserted else { continue }
            delegations.put(
                "_:d\(known.count)", raw: pair(("prov:delegate", delegate), ("prov:responsible", agent(principal))))
        }
        document.put("entity", raw: entities.text)
        document.put("activity", raw: activities.text)
        document.put("agent", raw: agents.text)
        putFlows(graph, in: &document)
        document.put("wasAssociatedWith", raw: associations.text)
        document.put("actedOnBehalfOf", raw: delegations.text)
        return document.text
    }

    private static func putFlows(_ graph: LineageGraph, in document: inout JSONObject) {
        var used = JSONObject(), generated = JSONObject(), informed = JSONObject()
        for (number, flow) in graph.flows.enumerated() {
            let time = Timestamp.text(flow.first)
            switch (flow.from, flow.to) {
            case (.object, .process):
                used.put("_:u\(number)", raw: pair(("prov:activity", name(flow.to)), ("prov:entity", name(flow.from)), ("prov:time", time)))
            case (.process, .object):
                generated.put(
                    "_:g\(number)", raw: pair(("prov:entity", name(flow.to)), ("prov:activity", name(flow.from)), ("prov:time", time)))
            case (.process, .process):
                informed.put("_:i\(number)", raw: pair(("prov:informed", name(flow.to)), ("prov:informant", name(flow.from))))
            case (.object, .object): break
            }
        }
        document.put("used", raw: used.text)
        document.put("wasGeneratedBy", raw: generated.text)
        document.put("wasInformedBy", raw: informed.text)
    }

    private static func name(_ node: NodeID) -> String { "sbx:" + LineageGraph.identifier(node) }

    private static func entity(_ object: LineageGraph.Object?) -> String {
        labelled(object?.name ?? [], type: object?.kind == .socket ? "Socket" : object?.kind == .pipe ? "Pipe" : "File")
    }

    private static func activity(_ process: LineageGraph.Process?) -> String {
        var object = JSONObject()
        if let process {
            object.put("prov:startTime", Timestamp.text(process.started))
            if let ended = process.ended { object.put("prov:endTime", Timestamp.text(ended)) }
            object.put("prov:label", Escaped.commandLine(process.arguments))
        }
        return object.text
    }

    private static func labelled(_ bytes: [UInt8], type: String) -> String {
        var object = JSONObject()
        object.put("prov:label", Escaped.text(bytes))
        object.put("prov:type", raw: "{\"$\":\"sbx:\(type)\",\"type\":\"prov:QUALIFIED_NAME\"}")
        return object.text
    }

    private static func pair(_ fields: (String, String)...) -> String {
        var object = JSONObject()
        for (name, value) in fields { object.put(name, value) }
        return object.text
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

/// The graph as OpenLineage run events (specification 2-0-2), one a line: a process that reads or writes is a run, with one event of its
/// start, as the specification wants it, and one of its end, which has its data.
package enum OpenLineage {
    private static let producer = "urn:sandbox:lineage"
    private static let schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    private static let parentSchema = "https://openlineage.io/spec/facets/1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet"

    package static func events(_ graph: LineageGraph) -> [String] {
        var inputs: [ProcessID: [ObjectID]] = [:], outputs: [ProcessID: [ObjectID]] = [:], parents: [ProcessID: ProcessID] = [:]
        for flow in graph.flows {
            switch (flow.from, flow.to) {
            case (.object(let object), .process(let process)): inputs[process, default: []].append(object)
            case (.process(let process), .object(let object)): outputs[process, default: []].append(object)
            case (.process(let parent), .process(let child)): if case .started = flow.kind { parents[child] = parent }
            case (.object, .object): break
            }
        }
        return graph.nodes.flatMap { node -> [String] in
            guard case .process(let id) = node, let process = graph.processes[id], inputs[id] != nil || outputs[id] != nil else {
                return []
            }
            func event(_ type: String, _ time: UInt64, isLast: Bool) -> String {
                var event = JSONObject()
                event.put("eventType", type)
                event.put("eventTime", Timestamp.text(time))
                event.put("producer", producer)
                event.put("schemaURL", schema)
                event.put("run", raw: run(id, parent: parents[id], graph))
                event.put("job", raw: job(id, graph))
                event.put("inputs", raw: isLast ? datasets(inputs[id] ?? [], id, graph) : "[]")
                event.put("outputs", raw: isLast ? datasets(outputs[id] ?? [], id, graph) : "[]")
                return event.text
            }
            let start = event("START", process.started, isLast: false)
            guard let ended = process.ended else { return [start, event("RUNNING", process.started, isLast: true)] }
            return [start, event(end(process.status), ended, isLast: true)]
        }
    }

    /// Where nobody saw how it ended, it was killed with all others.
    private static func end(_ status: Int32?) -> String {
        switch status.map(ProcessEnd.init) {
        case .exited(0): "COMPLETE"
        case .exited: "FAIL"
        case .signalled, nil: "ABORT"
        }
    }

    private static func run(_ id: ProcessID, parent: ProcessID?, _ graph: LineageGraph) -> String {
        var run = JSONObject()
        run.put("runId", runID(id, graph))
        guard let parent else { return run.text }
        var of = JSONObject(), facet = JSONObject(), facets = JSONObject()
        of.put("runId", runID(parent, graph))
        facet.put("_producer", producer)
        facet.put("_schemaURL", parentSchema)
        facet.put("run", raw: of.text)
        facet.put("job", raw: job(parent, graph))
        facets.put("parent", raw: facet.text)
        run.put("facets", raw: facets.text)
        return run.text
    }

    private static func job(_ id: ProcessID, _ graph: LineageGraph) -> String {
        var job = JSONObject()
        job.put("namespace", graph.sessions[id.session]?.info.identity ?? "?")
        job.put("name", Escaped.text(graph.processes[id]?.program ?? Array("?".utf8)))
        return job.text
    }

    private static func datasets(_ objects: [ObjectID], _ process: ProcessID, _ graph: LineageGraph) -> String {
        var seen: Set<ObjectID> = []
        return EventJSON.list(
            objects.filter { seen.insert($0).inserted }.map { id in
                var dataset = JSONObject()
                let scheme = graph.objects[id]?.kind == .socket ? "socket" : "file"
                let host = graph.sessions[process.session]?.info.host ?? ""
                dataset.put("namespace", host.isEmpty ? scheme : scheme + "://" + host)
                dataset.put("name", Escaped.text(graph.objects[id]?.name ?? []))
                return dataset.text
            })
    }

    /// The same process has the same id in every answer: a UUID of one's own making (RFC 9562, version 8).
    private static func runID(_ id: ProcessID, _ graph: LineageGraph) -> String {
        let text = Array((graph.sessions[id.session]?.info.id ?? "").utf8) + Array("/\(id.serial)".utf8)
        let high = UInt64(bitPattern: LineageName.hash(text, .file)), low = UInt64(bitPattern: LineageName.hash(text + [0], .socket))
        let digits = hex(high & 0xffff_ffff_ffff_0fff | 0x8000) + hex(low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits.dropFirst($0.lowerBound).prefix($0.count)) }
        return parts.joined(separator: "-")
    }

    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
