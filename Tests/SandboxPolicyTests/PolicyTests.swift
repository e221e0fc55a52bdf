import Testing
@testable import SandboxPolicy
