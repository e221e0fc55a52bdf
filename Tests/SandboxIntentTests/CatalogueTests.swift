import SandboxModel
import SandboxYAML
import Testing
@testable import SandboxIntent

@Suite struct ShippedCatalogue {
    @Test func everyExampleHolds() throws {
        let catalogue = try Shipped.catalogue.get()
        for example in catalogue.examples {
            let found = told(meaning(example.line, catalogue))
            #expect(
                found == wanted(example.expected),
                "\(example.file):\(example.position.line): `\(example.line)` means \(found.sorted()), not `\(example.expected)`")
        }
    }
}
