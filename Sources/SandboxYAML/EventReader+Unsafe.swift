internal import CYAML

/// One of libyaml's events.
struct Event {
    enum Kind {
        case documentStart, documentEnd, streamEnd
        case sequenceStart, mappingStart, collectionEnd
        case scalar(String)
        case alias
    }
    let kind: Kind
    let isAnchored: Bool
    let position: Position

    init(_ kind: Kind, isAnchored: Bool = false, at mark: yaml_mark_t) {
        self.kind = kind
        self.isAnchored = isAnchored
        position = Position(mark)
    }
}

/// libyaml's parser, which gives its events one by one and reads no further than it must.
struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    /// The parser holds on to what it reads, so that it is given a copy that lives as long.
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(YAMLFailure) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        event = .allocate(capacity: 1)
        event.initialize(to: yaml_event_t())
        // Some editors begin a file with a byte order mark.
        let text = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...]
        input = .allocate(capacity: text.count)
        _ = input.initialize(fromContentsOf: text)
        guard yaml_parser_initialize(parser) == 1 else { throw failure() }
        // Named, so that a byte order mark does not choose another.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
        try parse()  // the start of the stream
    }

    deinit {
        yaml_event_delete(event)
        yaml_parser_delete(parser)
        event.deallocate()
        parser.deallocate()
        input.deallocate()
    }

    mutating func next() throws(YAMLFailure) -> Event {
        try parse()
        let mark = event.pointee.start_mark
        switch event.pointee.type {
        case YAML_DOCUMENT_START_EVENT: return Event(.documentStart, at: mark)
        case YAML_DOCUMENT_END_EVENT: return Event(.documentEnd, at: mark)
        case YAML_SEQUENCE_START_EVENT:
            return Event(.sequenceStart, isAnchored: event.pointee.data.sequence_start.anchor != nil, at: mark)
        case YAML_MAPPING_START_EVENT:
            return Event(.mappingStart, isAnchored: event.pointee.data.mapping_start.anchor != nil, at: mark)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return Event(.collectionEnd, at: mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.pointee.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return Event(.scalar(text), isAnchored: scalar.anchor != nil, at: mark)
        case YAML_ALIAS_EVENT: return Event(.alias, at: mark)
        default: return Event(.streamEnd, at: mark)
        }
    }

    private func parse() throws(YAMLFailure) {
        yaml_event_delete(event)
        guard yaml_parser_parse(parser, event) == 1 else { throw failure() }
    }

    private func isIndentedByTab(_ line: Int) -> Bool {
        let lines = input.split(separator: 0x0a, maxSplits: line, omittingEmptySubsequences: false)
        return line <= lines.count && lines[line - 1].first { $0 != 0x20 } == 0x09
    }

    /// What the parser says is wrong. Its texts are constants of libyaml.
    private func failure() -> YAMLFailure {
        guard let problem = parser.pointee.problem else { return YAMLFailure(reason: .invalid("out of memory"), position: .start) }
        var text = String(cString: problem)
        if parser.pointee.error == YAML_READER_ERROR {
            return YAMLFailure(reason: .character(text), position: Position(of: parser.pointee.problem_offset, in: input))
        }
        let position = Position(parser.pointee.problem_mark)
        if text.contains("cannot start any token") || text.contains("found a tab"), isIndentedByTab(position.line) {
            return YAMLFailure(reason: .tab, position: position)
        }
        if let context = parser.pointee.context {
            let start = Position(parser.pointee.context_mark)
            let isElsewhere = start.line < position.line
            text = String(cString: context) + (isElsewhere ? " (from line \(start.line) on)" : "") + ": " + text
        }
        return YAMLFailure(reason: .invalid(text), position: position)
    }
}

extension Position {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: mark.line + 1, column: mark.column + 1) }

    /// Where a byte lies.
    fileprivate init(of offset: Int, in bytes: UnsafeMutableBufferPointer<UInt8>) {
        let before = bytes.prefix(offset)
        let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        self.init(line: before.count { $0 == 0x0a } + 1, column: before[start...].count { $0 & 0xc0 != 0x80 } + 1)
    }
}
