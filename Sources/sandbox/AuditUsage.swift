internal import ArgumentParser
internal import SandboxStore

struct AuditUsage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Adds up who used what: sessions, accesses, files, hosts, programs, refusals, bytes.",
        discussion: """
            Files and hosts are counted once each, accesses and starts as often as they happened. Bytes are those of TCP connections \
            that the session made and that are over, as the kernel counted them; the end of what comes in may count as one. By data: \
            what was done by whoever carried a class of data, and where that went. Counts, never content.
            """)

    @OptionGroup var state: StateOptions
    @Option(help: "identity, data, host, program or day.") var by = UsageKey.identity
    @Option(help: "From this time on (RFC 3339), or for so long back: 90s 10m 2h 7d.", transform: parseTime) var since: UInt64?
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        try reportingFailures {
            let rows = try state.reader()?.usage(by: by, since: since ?? 0) ?? []
            var output = Output()
            if json {
                for row in rows { try output.write(UsageText.json(row, by: by) + "\n") }
            } else if !rows.isEmpty {
                try output.write(UsageText.table(rows, by: by, style: Output.style))
            }
            try output.flush()
        }
    }
}

extension UsageKey: ExpressibleByArgument {}
