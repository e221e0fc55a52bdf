internal import ArgumentParser
internal import Glibc
internal import SandboxPolicy
internal import SandboxYAML
internal import SandboxSupervisor

/// `sandbox profile …`: which profiles there are, what they say, whether they hold.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Lists, shows, checks, writes and tries profiles.",
        subcommands: [
            ListProfiles.self, ShowProfile.self, CheckProfiles.self, TestProfiles.self, NewProfile.self, LearnProfile.self,
            ReplayProfile.self, DiffProfiles.self, ProfileSchemaCommand.self,
        ])
}

struct ListProfiles: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Prints every profile there is.")
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        for entry in ProfileFiles().list() {
            let description = Self.description(of: entry.path)
            if json {
                let fields = [("name", entry.name), ("origin", entry.origin), ("file", entry.path), ("description", description)]
                print("{" + fields.map { "\(JSONText.quote($0)):\(JSONText.quote($1))" }.joined(separator: ",") + "}")
            } else {
                let name = Printable.escape(entry.name)
                let pad = String(repeating: " ", count: max(1, 20 - name.count))
                let origin = entry.origin + String(repeating: " ", count: max(1, 9 - entry.origin.count))
                print(name + pad + origin + Printable.escape(description))
            }
        }
    }

    private static func description(of path: String) -> String {
        do {
            guard let source = try ProfileFiles.read(path) else { return "(gone)" }
            return try ProfileReader.read(source.bytes, file: source.file).description
        } catch is ProfileFailure {
            return "(not valid: see `sandbox profile check`)"
        } catch let error as ProfileLookupFailure {
            return "(refused: \(error.message))"
        } catch {
            return "(unreadable)"
        }
    }
}

struct ShowProfile: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Prints one profile.")
    @Argument(help: "A name, or a path with a `/` in it.") var profile: String
    @Flag(help: "With all that it extends, merged.") var resolved = false

    func run() throws {
        let files = ProfileFiles()
        let source = try ProfileSupport.source(profile, files)
        guard resolved else {
            let text = String(decoding: source.bytes, as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            print(lines.map(Self.printable).joined(separator: "\n"), terminator: "")
            return
        }
        do throws(ProfileFailure) {
            let profile = try ProfileLoader.load(source, lookup: files)
            profile.warnings.forEach { ProfileSupport.say($0.description) }
            print(ProfileWriter.yaml(profile), terminator: "")
        } catch {
            ProfileSupport.say(error.description)
            throw ExitCode(125)
        }
    }
}

extension ShowProfile {
    /// A line as it is, but for what could steer a terminal; a tab cannot.
    fileprivate static func printable(_ line: Substring) -> String {
        line.split(separator: "\t", omittingEmptySubsequences: false).map { Printable.escape(String($0)) }.joined(separator: "\t")
    }
}

struct CheckProfiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says everything that is wrong with profiles: 0 valid, 1 not valid, 125 unreadable.")
    @Argument(help: "Files, or names of profiles.") var files: [String]

    func run() throws {
        let lookup = ProfileFiles()
        var worst: Int32 = 0
        for file in files { worst = max(worst, check(file, lookup)) }
        if worst != 0 { throw ExitCode(worst) }
    }

    private func check(_ file: String, _ lookup: ProfileFiles) -> Int32 {
        let found: ProfileSource
        do throws(ProfileLookupFailure) {
            // A file of that name comes before a profile of that name: here one checks files.
            var source = try ProfileFiles.read(file)
            if source == nil { source = try lookup.find(file, from: nil) }
            guard let source else {
                ProfileSupport.say("sandbox: no file or profile `\(Printable.escape(file))`")
                return 125
            }
            found = source
        } catch {
            ProfileSupport.say("sandbox: \(error)")
            return error.isRefusal ? 1 : 125
        }
        do throws(ProfileFailure) {
            let profile = try ProfileLoader.load(found, lookup: lookup)
            profile.warnings.forEach { ProfileSupport.say($0.description) }
            print("\(Printable.escape(file)): ok")
            return 0
        } catch {
            ProfileSupport.say(error.description)
            return 1
        }
    }
}

/// A string in JSON.
private enum JSONText {
    static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.properties.generalCategory == .format
                || scalar.value == 0x2028 || scalar.value == 0x2029:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
