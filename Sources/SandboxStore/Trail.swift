internal import Glibc
internal import SandboxModel

/// The trail as a whole.
package enum Trail {
    package struct Recovery: Sendable {
        /// Sessions whose supervisor was killed, and whose journals are in the database now.
        package var recovered: [String] = []
        package var failures: [(session: String, error: StoreError)] = []
    }

    /// Takes in what dead supervisors left in their journals. Safe to call at any time, by several processes at
    /// once, and to be killed in: a session is taken in once. With `patiently` it also waits for those that others are
    /// just taking in, so that what has ended is in the database when it returns. `tidy` is told of each before that: what
    /// it removes is removed as well where we are killed in between, for the session is met again.
    package static func recover(
        _ state: StateDirectory, patiently: Bool = false, tidy: (_ session: String) -> Void = { _ in }
    ) throws(StoreError) -> Recovery {
        var result = Recovery()
        try SessionDirectory.removeHalfMade(in: state)
        for id in try SessionDirectory.all(in: state) {
            do throws(StoreError) {
                guard let directory = try SessionDirectory.adopt(id, in: state, patiently: patiently) else {
                    // Empty where its owner was killed in its very last step; otherwise this does nothing.
                    rmdir(state.sessions + "/" + id)
                    continue
                }
                tidy(id)
                try recover(directory, in: state)
                result.recovered.append(id)
            } catch {
                result.failures.append((id, error))
            }
        }
        return result
    }

    private static func recover(_ directory: SessionDirectory, in state: StateDirectory) throws(StoreError) {
        try directory.markEnded()
        let segments = try directory.segments()
        let info: SessionInfo
        do throws(StoreError) {
            info = try directory.info()
        } catch .system(_, _, ENOENT) where segments.isEmpty {
            return try directory.remove()  // Killed while tidying up.
        }
        let ingest = try TrailIngest(state: state, session: info)
        for number in segments {
            try ingest.begin()
            do throws(StoreError) {
                try take(number, from: directory, into: ingest)
            } catch {
                ingest.rollback()
                throw error
            }
        }
        if !ingest.hasEnded { try ingest.markLost() }
        try directory.remove()
    }

    private static func take(
        _ number: UInt32, from directory: SessionDirectory, into ingest: TrailIngest
    ) throws(StoreError) {
        let copy = try JournalSegment.read(number, in: directory)
        var last = ingest.drained
        let torn = try JournalReader.records(
            in: UnsafeRawBufferPointer(copy.bytes), after: ingest.drained
        ) { record throws(StoreError) in
            try ingest.add(record)
            last = record.header.seq
        }
        // The arguments of starts are read from the copy here.
        try withExtendedLifetime(copy) { () throws(StoreError) in try ingest.commit(through: last, torn: torn) }
    }
}
