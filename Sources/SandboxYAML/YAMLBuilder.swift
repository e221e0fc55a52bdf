/// Events → tree. Ends at the first thing that must not be, so that hostile bytes cost no more than they have to.
package struct YAMLBuilder: ~Copyable {
    private var events: EventReader
    private let maximumDepth: Int
    private var budget: Int

    /// The one document that UTF-8 bytes hold, with at most so many values and no value deeper than that.
    package static func parse(_ bytes: [UInt8], maximumDepth: Int, maximumValues: Int) throws(YAMLFailure) -> YAMLNode {
        var builder = YAMLBuilder(events: try EventReader(bytes), maximumDepth: maximumDepth, budget: maximumValues)
        return try builder.document()
    }

    private init(events: consuming EventReader, maximumDepth: Int, budget: Int) {
        self.events = events
        self.maximumDepth = maximumDepth
        self.budget = budget
    }

    private mutating func document() throws(YAMLFailure) -> YAMLNode {
        guard case .documentStart = try events.next().kind else { throw YAMLFailure(reason: .empty, position: .start) }
        let root = try node(try events.next(), depth: 0)
        _ = try events.next()  // the end of the document
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            let problem = "expected a single document in the stream: but found another document"
            throw YAMLFailure(reason: .invalid(problem), position: end.position)
        }
        return root
    }

    /// The node that begins with `event`.
    private mutating func node(_ event: Event, depth: Int) throws(YAMLFailure) -> YAMLNode {
        guard !event.isAnchored else { throw YAMLFailure(reason: .anchor, position: event.position) }
        budget -= 1
        guard budget >= 0 else { throw YAMLFailure(reason: .tooManyValues, position: event.position) }
        guard depth < maximumDepth else { throw YAMLFailure(reason: .tooDeep, position: event.position) }
        switch event.kind {
        case .scalar(let text): return YAMLNode(value: .scalar(text), position: event.position)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while let item = try child(depth) { items.append(item) }
            return YAMLNode(value: .sequence(items), position: event.position)
        case .mappingStart:
            var pairs: [(key: YAMLNode, value: YAMLNode)] = []
            while let key = try child(depth), let value = try child(depth) { pairs.append((key, value)) }
            return YAMLNode(value: .mapping(pairs), position: event.position)
        case .alias: throw YAMLFailure(reason: .alias, position: event.position)
        case .collectionEnd, .documentStart, .documentEnd, .streamEnd:
            // Never seen of libyaml, and no reason to die of hostile bytes.
            throw YAMLFailure(reason: .invalid("a value ends before it begins"), position: event.position)
        }
    }

    /// The next node of a collection at that depth, or `nil` at its end.
    private mutating func child(_ depth: Int) throws(YAMLFailure) -> YAMLNode? {
        let event = try events.next()
        if case .collectionEnd = event.kind { return nil }
        return try node(event, depth: depth + 1)
    }
}
