internal import ArgumentParser
internal import SandboxModel
internal import SandboxSupervisor

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Tells what this kernel gives, what is missing and what that costs.",
        discussion: "Exits with 1 where `sandbox run` could not enforce.")
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var state: StateOptions

    func run() throws {
        let findings = Finding.all(state: state.path)
        for f in findings {
            if json {
                print(
                    #"{"name":\#(Escaped.json(f.name)),"state":"\#(f.state)","required":\#(f.isRequired),"detail":\#(Escaped.json(f.detail))}"#
                )
            } else {
                let name = f.name + String(repeating: " ", count: max(28 - f.name.count, 1))
                let state = f.state + String(repeating: " ", count: max(9 - f.state.count, 1))
                print(name + state + f.detail)
            }
        }
        if findings.contains(where: \.standsInTheWay) { throw ExitCode(1) }
    }
}
