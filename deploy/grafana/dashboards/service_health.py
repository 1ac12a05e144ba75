"""Whether the services do their work, and how fast (BEY-11, MET-5)."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.dashboards import variables
from deploy.grafana.dashboards.board import Head, Panels, Section, board
from deploy.grafana.dashboards.changes import pool_changes, record_changes
from deploy.grafana.dashboards.panels import Line, Size, Text, layers, lights, number, trend
from deploy.grafana.dashboards.queries import age, quantile, rate
from deploy.grafana.dashboards.style import FAILED_PART, LATENCY, NONE_WANTED, PLAIN, Steps
from deploy.grafana.dashboards.tables import Figure, Key, figures_table

_CHOSEN = 'service=~"$service"'
_FAILED = 'code=~"DATA_LOSS|DEADLINE_EXCEEDED|INTERNAL|UNAVAILABLE|UNKNOWN"'
"""What is not a caller's mistake; as the alert has it."""
_FAILED_REQUEST = 'status=~"5.."'

_RPCS, _RPC_SECONDS = "cadastre_rpc_requests_total", "cadastre_rpc_duration_seconds"
_REQUESTS = "cadastre_gateway_requests_total"
_REQUEST_SECONDS = "cadastre_gateway_request_duration_seconds"

_OUTCOMES = ("success", "failure")
_SELDOM = "1h"
"""What happens every few minutes needs a longer look than what happens all the time."""
_OLD_PASS: Steps = ((None, "green"), (900, "orange"), (1800, "red"))
_OLD_CHECK: Steps = ((None, "green"), (2 * 3600, "orange"), (3 * 3600, "red"))
_OLD_FIGURES: Steps = ((None, "green"), (60, "orange"), (300, "red"))


def dashboard() -> Dashboard:
    """For whoever runs the services."""
    head = Head(
        "cadastre-services",
        "Cadastre / Service health",
        "What the services say of themselves: up, requests, errors, latency, and their own work.",
        time_from="now-6h",
    )
    chosen = [
        variables.datasource(),
        variables.values_of("service", "Service", "cadastre_service_up", "service"),
    ]
    sections = [
        Section("At one look", _numbers()),
        Section("gRPC", _rpcs()),
        Section("Gateway", _gateway()),
        Section("Ledger", _ledger()),
        Section("Discovery", _discovery()),
        Section("Control plane and figures", _others()),
        Section("Processes", _processes()),
    ]
    return board(head, chosen, sections)


def _numbers() -> Panels:
    return [
        lights(
            Text("Services", "Whether each answers the metrics service."),
            Line(
                f"max by (service, replica) (cadastre_service_up{{{_CHOSEN}}})",
                "{{service}} {{replica}}",
            ),
            Size(12, 4),
            on="Up",
            off="Down",
        ),
        number(Text("RPCs", "gRPC calls answered."), rate(_RPCS, "", _CHOSEN), "reqps"),
        number(
            Text("RPCs failing", "Through no mistake of their caller's."),
            _failing_part(_RPCS, "", _CHOSEN, _FAILED),
            "percentunit",
            steps=FAILED_PART,
        ),
        number(
            Text("Gateway requests", "Requests answered, the console's among them."),
            rate(_REQUESTS, ""),
            "reqps",
        ),
        number(
            Text("Gateway failing", "Answered with a status of 500 or above."),
            _failing_part(_REQUESTS, "", "", _FAILED_REQUEST),
            "percentunit",
            steps=FAILED_PART,
        ),
    ]


def _rpcs() -> Panels:
    method = "service, exported_service, method"
    return [
        trend(
            Text("RPCs", "gRPC calls that each service answers."),
            [Line(rate(_RPCS, "service", _CHOSEN), "{{service}}")],
            "reqps",
            Size(8, 9),
        ),
        trend(
            Text("Failures", "By status code; callers' mistakes are not among them."),
            [Line(rate(_RPCS, "service, code", f"{_CHOSEN}, {_FAILED}"), "{{service}} {{code}}")],
            "reqps",
            Size(8, 9),
        ),
        trend(
            Text("Latency", "That 50 and 99 of 100 calls stay below; streams are not counted."),
            [
                Line(quantile(which, _RPC_SECONDS, "service", _CHOSEN), f"{{{{service}}}} {name}")
                for which, name in ((0.5, "p50"), (0.99, "p99"))
            ],
            "s",
            Size(8, 9),
        ),
        figures_table(
            Text("Methods", "What each method of each service does at present."),
            [
                Key("service", "Service", 130),
                Key("exported_service", "gRPC service"),
                Key("method", "Method"),
            ],
            [
                Figure("Rate", rate(_RPCS, method, _CHOSEN), "reqps", width=110),
                Figure(
                    "Failing",
                    _failing_part(_RPCS, method, _CHOSEN, _FAILED),
                    "percentunit",
                    FAILED_PART,
                    width=90,
                ),
                *(
                    Figure(
                        name, quantile(which, _RPC_SECONDS, method, _CHOSEN), "s", LATENCY, width=90
                    )
                    for which, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                ),
            ],
            Size(16, 10),
            order=("Rate", True),
        ),
        trend(
            Text("In flight", "Calls received and not yet answered, streams included."),
            [Line(f"sum by (service) (cadastre_rpc_in_flight{{{_CHOSEN}}})", "{{service}}")],
            "short",
            Size(8, 10),
        ),
    ]


def _gateway() -> Panels:
    return [
        trend(
            Text("Requests", "AWS requests by action."),
            [Line(rate(_REQUESTS, "action"), "{{action}}")],
            "reqps",
            Size(8, 9),
        ),
        layers(
            Text("Answers", "AWS requests by HTTP status."),
            [Line(rate(_REQUESTS, "status"), "{{status}}")],
            "reqps",
            Size(8, 9),
        ),
        trend(
            Text("Latency", "From a request's head to its answer."),
            [
                Line(quantile(which, _REQUEST_SECONDS, ""), name)
                for which, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ],
            "s",
            Size(8, 9),
        ),
        figures_table(
            Text("Actions", "What each action of AWS does at present."),
            [Key("action", "Action")],
            [
                Figure("Rate", rate(_REQUESTS, "action"), "reqps", width=120),
                Figure(
                    "Failing",
                    _failing_part(_REQUESTS, "action", "", _FAILED_REQUEST),
                    "percentunit",
                    FAILED_PART,
                    width=110,
                ),
                *(
                    Figure(
                        name, quantile(which, _REQUEST_SECONDS, "action"), "s", LATENCY, width=110
                    )
                    for which, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                ),
            ],
            Size(24, 9),
            order=("Rate", True),
        ),
    ]


def _ledger() -> Panels:
    commit, batch = "cadastre_ledger_commit_duration_seconds", "cadastre_ledger_batch_commands"
    return [
        number(
            Text("Commands waiting", "For the ledger's next batch."),
            "sum(cadastre_ledger_waiting_commands)",
            "short",
            span=6,
        ),
        number(
            Text("Commits", "Batches that the ledger commits."),
            rate(f"{batch}_count", ""),
            "cps",
            span=6,
        ),
        number(
            Text(
                "Findings of the last check", "Where the books disagree; `make check` tells more."
            ),
            "sum(max by (kind) (cadastre_ledger_check_findings))",
            "short",
            steps=NONE_WANTED,
            span=6,
        ),
        number(
            Text("Last check", "How long ago the ledger was checked to the end."),
            age("cadastre_ledger_check_last_success_timestamp_seconds"),
            "s",
            steps=_OLD_CHECK,
            span=6,
        ),
        trend(
            Text("Commands waiting", "A line that keeps growing: more comes than is committed."),
            [Line("sum by (service) (cadastre_ledger_waiting_commands)", "{{service}}")],
            "short",
            Size(6, 9),
        ),
        trend(
            Text("Batch size", "Commands that one commit takes along."),
            [
                Line(f"{rate(f'{batch}_sum', '')} / ({rate(f'{batch}_count', '')} > 0)", "mean"),
                Line(quantile(0.95, batch, ""), "p95"),
            ],
            "short",
            Size(6, 9),
        ),
        trend(
            Text("Commit time", "From taking a batch to its commit, decisions included."),
            [
                Line(quantile(which, commit, ""), name)
                for which, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ],
            "s",
            Size(6, 9),
        ),
        pool_changes(Size(6, 9)),
    ]


def _discovery() -> Panels:
    passes = "cadastre_discovery_pass_duration_seconds"
    evaluations = "cadastre_discovery_evaluation_duration_seconds"
    return [
        number(
            Text("Last pass", "How long ago a discovery pass succeeded."),
            age("cadastre_discovery_last_success_timestamp_seconds"),
            "s",
            steps=_OLD_PASS,
            span=6,
        ),
        number(
            Text("Failing places", "Pairs of account and region whose last attempt failed."),
            "max(cadastre_discovery_failing_places)",
            "short",
            steps=NONE_WANTED,
            span=6,
        ),
        number(
            Text("Pass takes", "Ninety-five of a hundred passes stay below."),
            quantile(0.95, passes, "", over=_SELDOM),
            "s",
            span=6,
        ),
        number(
            Text("Evaluation takes", "Ninety-five of a hundred evaluations stay below."),
            quantile(0.95, evaluations, "", over=_SELDOM),
            "s",
            span=6,
        ),
        layers(
            Text("Passes", "By outcome, in an hour."),
            [
                Line(
                    f"sum by (outcome) (increase(cadastre_discovery_passes_total[{_SELDOM}]))",
                    "{{outcome}}",
                )
            ],
            "short",
            Size(8, 9),
            known=_OUTCOMES,
        ),
        trend(
            Text("Durations", "Of passes, and of evaluations of compliance and overlaps."),
            [
                Line(quantile(which, histogram, "", over=_SELDOM), f"{what} {name}")
                for what, histogram in (("pass", passes), ("evaluation", evaluations))
                for which, name in ((0.5, "p50"), (0.95, "p95"))
            ],
            "s",
            Size(8, 9),
        ),
        record_changes(Size(8, 9)),
    ]


def _others() -> Panels:
    source = "cadastre_metrics_figures_last_success_timestamp_seconds"
    collection = "cadastre_metrics_collection_duration_seconds"
    return [
        trend(
            Text("Commands of the control plane", "Under way across services, not done yet."),
            [Line("max(cadastre_control_plane_pending_commands)", "pending")],
            "short",
            Size(6, 9),
        ),
        layers(
            Text("Attempts of commands", "By outcome; what failed is tried again."),
            [Line(rate("cadastre_control_plane_command_attempts_total", "outcome"), "{{outcome}}")],
            "cps",
            Size(6, 9),
            known=_OUTCOMES,
        ),
        trend(
            Text("Age of figures", "Since each source told the metrics service all its figures."),
            [Line(age(source, "source"), "{{source}}")],
            "s",
            Size(6, 9),
        ),
        trend(
            Text("Collection of figures", "How long it takes to collect them."),
            [
                Line(quantile(which, collection, ""), name)
                for which, name in ((0.5, "p50"), (0.95, "p95"))
            ],
            "s",
            Size(6, 9),
        ),
    ]


def _processes() -> Panels:
    legend = "{{service}} {{process}} {{replica}}"
    return [
        trend(
            Text("Processor time", "1: one processor is busy all the time."),
            [Line(_of_process("rate(process_cpu_seconds_total{}[$__rate_interval])"), legend)],
            "short",
            Size(8, 9),
        ),
        trend(
            Text("Memory", "Resident: what a process has in memory."),
            [Line(_of_process("process_resident_memory_bytes{}"), legend)],
            "bytes",
            Size(8, 9),
        ),
        trend(
            Text("Open files", "File descriptors in use, connections included."),
            [Line(_of_process("process_open_fds{}"), legend)],
            "short",
            Size(8, 9),
        ),
        _starts(),
    ]


def _starts() -> Builder[Panel]:
    started = _of_process("process_start_time_seconds{}")
    return figures_table(
        Text("Process by process", "A process that started a moment ago was started again."),
        [
            Key("service", "Service"),
            Key("process", "Process"),
            Key("replica", "Replica"),
            Key("instance", "Asked at"),
        ],
        [
            Figure("Started", f"{started} * 1000", "dateTimeFromNow"),
            Figure("Started on", f"{started} * 1000", "dateTimeAsIso"),
            Figure("Memory", _of_process("process_resident_memory_bytes{}"), "bytes"),
            Figure(
                "Processors",
                _of_process("rate(process_cpu_seconds_total{}[$__rate_interval])"),
                "none",
                PLAIN,
            ),
        ],
        Size(24, 9),
        order=("Service", False),
    )


def _of_process(expr: str) -> str:
    """A figure of each process; `{}` stands for which. The gateway's series name no service."""
    which = '{job=~"cadastre(-.+)?", service=~"$service|gateway|"}'
    named = f'label_replace({expr.replace("{}", which)}, "service", "gateway", "service", "")'
    return f"max by (service, process, replica, instance) ({named})"


def _failing_part(counter: str, by: str, matching: str, failed: str) -> str:
    """Part of what was answered; 0 where nothing failed, none where nothing was answered."""
    everything = rate(counter, by, matching)
    failing = rate(counter, by, ", ".join(part for part in (matching, failed) if part))
    # What has no failures has no such series: nothing of everything is taken for it.
    return f"({failing} or {everything} * 0) / ({everything} > 0)"
