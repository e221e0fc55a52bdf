/// A place in a file: lines and columns count from 1, columns in characters, as editors do.
package struct Position: Hashable, Sendable {
    package let line: Int
    package let column: Int
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
    package static let start = Position(line: 1, column: 1)
}

/// YAML as far as profiles use it: plain trees without anchors, each node with its place. Tags say nothing here:
/// a scalar is its text.
package struct YAMLNode: Sendable {
    package enum Value: Sendable {
        case scalar(String)
        case sequence([YAMLNode])
        /// In the order of the file; a key may stand in it twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }
    package let value: Value
    package let position: Position

    package init(value: Value, position: Position) {
        self.value = value
        self.position = position
    }
}

/// Why bytes are no such tree, and where that was seen first.
package struct YAMLFailure: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// There is no document at all.
        case empty
        /// Not YAML, in libyaml's words.
        case invalid(String)
        /// A line begins with a tab.
        case tab
        /// A character that YAML does not have, in libyaml's words.
        case character(String)
        /// Without anchors an alias has nothing to repeat, so that no small file can become a large one ("billion
        /// laughs").
        case anchor
        case alias
        case tooDeep
        case tooManyValues
    }
    package let reason: Reason
    package let position: Position
}
