internal import ArgumentParser
internal import Glibc
internal import SandboxIntent
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSupervisor
internal import SandboxYAML

struct TestProfiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Runs the `tests:` inside profiles: 0 all hold, 1 some do not, 125 unreadable or not valid.")
    @Flag(help: "One JSON object for each test.") var json = false
    @Argument(help: "Files, or names of profiles.") var files: [String]

    func run() throws {
        var output = Output(), failed = 0
        for file in files { failed += try test(file, &output) }
        try output.flush()
        if failed > 0 { throw ExitCode(1) }
    }

    private func test(_ file: String, _ output: inout Output) throws -> Int {
        let profile = try ProfileSupport.load(file, isFile: true)
        let testing: ProfileTesting, reader = try Meanings.reader()
        do throws(PolicyFailure) {
            testing = try ProfileTesting(profile, reader: reader, rewriteSQL: Meanings.rewrite)
        } catch {
            complain("\(error)")
            throw ProfileSupport.ownFailure
        }
        var failed = 0
        for test in profile.tests {
            let failure = testing.run(test)
            if failure != nil { failed += 1 }
            if json { try output.write(line(test, failure)) } else if let failure { try output.write(words(test, failure)) }
        }
        if !json {
            let count = profile.tests.count
            let said = count == 0 ? "no tests" : failed == 0 ? "\(count) tests hold" : "\(failed) of \(count) tests fail"
            try output.write("\(Escaped.text(file)): \(said)\n")
        }
        return failed
    }

    private func words(_ test: ProfileTest, _ failure: ProfileTesting.Failure) -> String {
        let place = "\(Escaped.text(test.origin.file)):\(test.origin.position.line):\(test.origin.position.column)"
        return "\(place): \(Escaped.text(failure.message))\n  \(Escaped.text(test.text))\n"
    }

    private func line(_ test: ProfileTest, _ failure: ProfileTesting.Failure?) -> String {
        "{\"file\":\(Escaped.json(test.origin.file)),\"line\":\(test.origin.position.line),\"test\":\(Escaped.json(test.text)),\"holds\":\(failure == nil)"
            + (failure.map { ",\"message\":\(Escaped.json($0.message))" } ?? "") + "}\n"
    }
}
