/// Kinds of data that can be told by their form.
package enum ContentKind: UInt8, Sendable, CaseIterable {
    case cardNumber, email, nationalID, privateKey, cloudKey

    /// As profiles and the trail have it.
    package var name: String {
        switch self {
        case .cardNumber: "card_number"
        case .email: "email"
        case .nationalID: "national_id"
        case .privateKey: "private_key"
        case .cloudKey: "cloud_key"
        }
    }

    package init?(name: String) {
        guard let kind = ContentKind.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// How many of each were seen. Never which: no value leaves the look.
package struct ContentCounts: Sendable, Hashable {
    private var counts: InlineCounts = (0, 0, 0, 0, 0)
    private typealias InlineCounts = (UInt32, UInt32, UInt32, UInt32, UInt32)

    package init() {}

    package subscript(kind: ContentKind) -> Int {
        get {
            switch kind {
            case .cardNumber: Int(counts.0)
            case .email: Int(counts.1)
            case .nationalID: Int(counts.2)
            case .privateKey: Int(counts.3)
            case .cloudKey: Int(counts.4)
            }
        }
        set {
            let n = UInt32(clamping: newValue)
            switch kind {
            case .cardNumber: counts.0 = n
            case .email: counts.1 = n
            case .nationalID: counts.2 = n
            case .privateKey: counts.3 = n
            case .cloudKey: counts.4 = n
            }
        }
    }

    /// More than anybody asks for.
    package static let everything: ContentCounts = {
        var all = ContentCounts()
        for kind in ContentKind.allCases { all[kind] = Int(UInt32.max) }
        return all
    }()

    package var isEmpty: Bool { ContentKind.allCases.allSatisfy { self[$0] == 0 } }

    package static func == (a: ContentCounts, b: ContentCounts) -> Bool { ContentKind.allCases.allSatisfy { a[$0] == b[$0] } }
    package func hash(into hasher: inout Hasher) { for kind in ContentKind.allCases { hasher.combine(self[kind]) } }
}
