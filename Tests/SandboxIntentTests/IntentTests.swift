import SandboxModel
import Testing

@Suite struct IntentTests {
    @Test func everyIntentHasANameOfItsOwn() {
        for intent in Intent.allCases {
            #expect(Intent(name: intent.name) == intent)
            #expect(IntentSet(intent).elements == [intent])
        }
        #expect(Intent(name: "git.forcepush") == nil)
    }

    @Test func aFamilyStandsForAllOfIt() {
        #expect(IntentSet(pattern: "kv")?.names == ["kv.flush", "kv.delete", "kv.admin"])
        #expect(IntentSet(pattern: "http.*")?.elements.count == 5)
        #expect(IntentSet(pattern: "git.push")?.names == ["git.push"])
        #expect(IntentSet(pattern: "gi") == nil && IntentSet(pattern: "") == nil && IntentSet(pattern: ".*") == nil)
    }
}
