"""What the hosts understand: the fields of their files with what may stand in them, as their references say in 2026.

Written by hand from the documentation, as JSON Schema; only what a service like ours can use. A field that is not here is
refused, so that a misspelt one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
DURATION: Schema = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}
NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
PATH: Schema = {"type": "string", "pattern": "^/"}
CRON: Schema = {"type": "string", "pattern": r"^\S+( \S+){4}$"}


def one_of(*values: Any) -> Schema:
    return {"enum": list(values)}


def listing(of: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": of, "minItems": least}


def mapping(of: Schema, names: Schema = TEXT) -> Schema:
    return {"type": "object", "additionalProperties": of, "propertyNames": names}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def record(required: Mapping[str, Schema] | None = None, /, **optional: Schema) -> Schema:
    """An object with these fields and no others."""
    needed = dict(required or {})
    fields = {**needed, **optional}
    return {"type": "object", "properties": fields, "required": list(needed), "additionalProperties": False}


# What render.com/docs/blueprint-spec says of Render

_RENDER_VARIABLE = either(
    record({"key": TEXT, "value": either(TEXT, WHOLE)}),
    record({"key": TEXT, "generateValue": one_of(True)}),
    record({"key": TEXT, "sync": one_of(False)}),
    record(
        {
            "key": TEXT,
            "fromDatabase": record(
                {
                    "name": TEXT,
                    "property": one_of("host", "port", "user", "password", "database", "connectionString"),
                }
            ),
        }
    ),
    record(
        {
            "key": TEXT,
            "fromService": either(
                record(
                    {
                        "type": one_of("web", "pserv", "worker", "keyvalue"),
                        "name": TEXT,
                        "property": one_of("host", "port", "hostport", "connectionString"),
                    }
                ),
                record({"type": one_of("web", "pserv", "worker"), "name": TEXT, "envVarKey": TEXT}),
            ),
        }
    ),
    record({"fromGroup": TEXT}),
)
_RENDER_PLAN = one_of("starter", "standard", "pro", "pro plus")
_RENDER_LARGE = one_of("starter", "standard", "pro", "pro plus", "pro max", "pro ultra")
_RENDER_REGION = one_of("oregon", "ohio", "virginia", "frankfurt", "singapore")
_RENDER_ALLOWED = listing(record({"source": TEXT}, description=TEXT))
_RENDER_BUILT: Mapping[str, Schema] = {
    "name": TEXT,
    "runtime": one_of("python"),
    "buildCommand": TEXT,
    "startCommand": TEXT,
}
_RENDER_MORE: Mapping[str, Schema] = {
    "region": _RENDER_REGION,
    "branch": TEXT,
    "autoDeployTrigger": one_of("commit", "checksPass", "off"),
    "envVars": listing(_RENDER_VARIABLE),
}
_RENDER_SHUTDOWN: Schema = {"type": "integer", "minimum": 1, "maximum": 300}
RENDER = record(
    services=listing(
        either(
            record(
                {"type": one_of("web"), **_RENDER_BUILT},
                plan=either(_RENDER_LARGE, one_of("free")),
                numInstances=WHOLE,
                preDeployCommand=TEXT,
                healthCheckPath=PATH,
                maxShutdownDelaySeconds=_RENDER_SHUTDOWN,
                disk=record({"name": TEXT, "mountPath": PATH}, sizeGB={"type": "integer", "minimum": 1}),
                domains=listing(TEXT),
                **_RENDER_MORE,
            ),
            record(
                {"type": one_of("worker"), **_RENDER_BUILT},
                plan=_RENDER_LARGE,
                numInstances=WHOLE,
                maxShutdownDelaySeconds=_RENDER_SHUTDOWN,
                **_RENDER_MORE,
            ),
            record({"type": one_of("cron"), **_RENDER_BUILT, "schedule": CRON}, plan=_RENDER_PLAN, **_RENDER_MORE),
            record(
                {"type": one_of("keyvalue"), "name": TEXT, "ipAllowList": _RENDER_ALLOWED},
                plan=either(_RENDER_PLAN, one_of("free")),
                region=_RENDER_REGION,
                maxmemoryPolicy=one_of(
                    "allkeys-lru", "volatile-lru", "allkeys-random", "volatile-random", "volatile-ttl", "noeviction"
                ),
            ),
        ),
        least=1,
    ),
    databases=listing(
        record(
            {"name": TEXT},
            plan={
                "type": "string",
                "pattern": r"^(free|basic-(256mb|1gb|4gb)|(pro|accelerated)-\d+gb)$",
            },
            postgresMajorVersion={"type": "string", "pattern": r"^\d+$"},
            databaseName=TEXT,
            user=TEXT,
            region=_RENDER_REGION,
            diskSizeGB=WHOLE,
            ipAllowList=_RENDER_ALLOWED,
        )
    ),
)

# What the Compose Specification says

_CONDITIONS = one_of("service_started", "service_healthy", "service_completed_successfully")
_COMPOSE_CHECK = either(
    record({"disable": one_of(True)}),
    record({"test": listing(TEXT, 1)}, interval=DURATION, timeout=DURATION, start_period=DURATION, retries=WHOLE),
)
COMPOSE: Schema = {
    "type": "object",
    "properties": {
        "name": NAME,
        "services": mapping(
            record(
                {"image": TEXT},
                build=record({"context": TEXT}, dockerfile=TEXT, args=mapping(TEXT), target=TEXT),
                cap_add=listing(TEXT),
                cap_drop=listing(TEXT),
                command=listing(TEXT),
                depends_on=mapping(record({"condition": _CONDITIONS})),
                environment=mapping(either(TEXT, WHOLE)),
                healthcheck=_COMPOSE_CHECK,
                init=FLAG,
                networks=listing(TEXT),
                ports=listing(TEXT),
                profiles=listing(TEXT),
                read_only=FLAG,
                restart=one_of("no", "always", "on-failure", "unless-stopped"),
                security_opt=listing(TEXT),
                shm_size=TEXT,
                stop_grace_period=DURATION,
                tmpfs=listing(TEXT),
                user=TEXT,
                volumes=listing(TEXT),
            ),
            NAME,
        ),
        "volumes": mapping(record()),
        "networks": mapping(record(internal=FLAG)),
    },
    "patternProperties": {"^x-": {}},
    "required": ["services"],
    "additionalProperties": False,
}

# What the API reference of Kubernetes says of v1, apps/v1, batch/v1 and policy/v1

_LABELS = mapping({"type": "string", "pattern": r"^[A-Za-z0-9][\w.-]{0,62}$"})
_META = record({"name": NAME}, labels=_LABELS, namespace=NAME, annotations=mapping(TEXT))
_QUANTITY: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?(m|Ki|Mi|Gi)?$"}
_PORT = either(WHOLE, NAME)
_PROBE = record(
    {"httpGet": record({"path": PATH, "port": _PORT})},
    periodSeconds=WHOLE,
    timeoutSeconds=WHOLE,
    failureThreshold=WHOLE,
    initialDelaySeconds=WHOLE,
)
_CONTAINER = record(
    {"name": NAME, "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[\w.-]+$"}},
    command=listing(TEXT),
    args=listing(TEXT),
    env=listing(record({"name": TEXT, "value": TEXT})),
    envFrom=listing(record({"secretRef": record({"name": NAME})})),
    ports=listing(record({"containerPort": WHOLE}, name=NAME)),
    lifecycle=record({"preStop": record({"exec": record({"command": listing(TEXT, 1)})})}),
    startupProbe=_PROBE,
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    resources=record(requests=mapping(_QUANTITY), limits=mapping(_QUANTITY)),
    securityContext=record(
        allowPrivilegeEscalation=FLAG,
        readOnlyRootFilesystem=FLAG,
        capabilities=record(drop=listing(TEXT), add=listing(TEXT)),
    ),
    volumeMounts=listing(record({"name": NAME, "mountPath": PATH}, readOnly=FLAG)),
)
_VOLUME = either(
    record({"name": NAME, "emptyDir": record(medium=one_of("Memory"), sizeLimit=_QUANTITY)}),
    record({"name": NAME, "persistentVolumeClaim": record({"claimName": NAME})}),
    record({"name": NAME, "secret": record({"secretName": NAME})}),
)
_POD = record(
    {"containers": listing(_CONTAINER, 1)},
    automountServiceAccountToken=FLAG,
    enableServiceLinks=FLAG,
    restartPolicy=one_of("Always", "OnFailure", "Never"),
    terminationGracePeriodSeconds=WHOLE,
    securityContext=record(
        runAsNonRoot=FLAG,
        runAsUser=WHOLE,
        runAsGroup=WHOLE,
        fsGroup=WHOLE,
        seccompProfile=record({"type": one_of("RuntimeDefault", "Unconfined", "Localhost")}),
    ),
    volumes=listing(_VOLUME),
)
_ROLLING = record({"maxUnavailable": WHOLE, "maxSurge": WHOLE})
_MODES = one_of("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany")


def _kind(version: str, name: str, **fields: Schema) -> Schema:
    return record({"apiVersion": one_of(version), "kind": one_of(name), "metadata": _META, **fields})


KUBERNETES = {
    "Secret": _kind("v1", "Secret", type=one_of("Opaque"), stringData=mapping(TEXT)),
    "Service": _kind(
        "v1",
        "Service",
        spec=record(
            {"selector": _LABELS, "ports": listing(record({"port": WHOLE}, name=NAME, targetPort=_PORT), 1)},
            type=one_of("ClusterIP", "NodePort", "LoadBalancer"),
        ),
    ),
    "PersistentVolumeClaim": _kind(
        "v1",
        "PersistentVolumeClaim",
        spec=record(
            {"accessModes": listing(_MODES, 1), "resources": record({"requests": record({"storage": _QUANTITY})})},
            storageClassName=NAME,
        ),
    ),
    "Deployment": _kind(
        "apps/v1",
        "Deployment",
        spec=record(
            {
                "selector": record({"matchLabels": _LABELS}),
                "template": record({"metadata": record({"labels": _LABELS}), "spec": _POD}),
            },
            replicas=WHOLE,
            strategy=record({"type": one_of("Recreate", "RollingUpdate")}, rollingUpdate=_ROLLING),
        ),
    ),
    "PodDisruptionBudget": _kind(
        "policy/v1",
        "PodDisruptionBudget",
        spec=record({"selector": record({"matchLabels": _LABELS})}, minAvailable=WHOLE, maxUnavailable=WHOLE),
    ),
    "CronJob": _kind(
        "batch/v1",
        "CronJob",
        spec=record(
            {
                "schedule": CRON,
                "jobTemplate": record(
                    {
                        "spec": record(
                            {"template": record({"spec": _POD})}, backoffLimit=WHOLE, activeDeadlineSeconds=WHOLE
                        )
                    }
                ),
            },
            timeZone=TEXT,
            concurrencyPolicy=one_of("Allow", "Forbid", "Replace"),
            startingDeadlineSeconds=WHOLE,
            successfulJobsHistoryLimit=WHOLE,
            failedJobsHistoryLimit=WHOLE,
        ),
    ),
}

# What fly.io/docs/reference/configuration says of Fly

FLY = record(
    {"primary_region": {"type": "string", "pattern": "^[a-z]{3}$"}},
    app=NAME,
    kill_signal=one_of("SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL", "SIGSTOP"),
    kill_timeout={"type": "integer", "minimum": 1, "maximum": 300},
    build=record(dockerfile=TEXT, ignorefile=TEXT, image=TEXT, args=mapping(TEXT)),
    env=mapping(TEXT),
    processes=mapping(TEXT, NAME),
    mounts=record({"source": TEXT, "destination": PATH}, processes=listing(NAME)),
    http_service=record(
        {"internal_port": WHOLE},
        force_https=FLAG,
        auto_stop_machines=one_of("off", "stop", "suspend"),
        auto_start_machines=FLAG,
        min_machines_running=WHOLE,
        processes=listing(NAME),
        checks=listing(
            record(
                {"path": PATH},
                method=one_of("GET", "HEAD"),
                grace_period=DURATION,
                interval=DURATION,
                timeout=DURATION,
            )
        ),
    ),
    vm=listing(record(size=TEXT, memory={"type": "string", "pattern": r"^\d+(mb|gb)$"}, processes=listing(NAME))),
)

# What docs.railway.com/config-as-code/reference says of Railway

RAILWAY = record(
    {"$schema": one_of("https://railway.com/railway.schema.json")},
    build=record(
        builder=one_of("RAILPACK", "DOCKERFILE"), dockerfilePath=TEXT, buildCommand=TEXT, watchPatterns=listing(TEXT)
    ),
    deploy=record(
        startCommand=TEXT,
        preDeployCommand=listing(TEXT),
        healthcheckPath=PATH,
        healthcheckTimeout=WHOLE,
        restartPolicyType=one_of("ON_FAILURE", "ALWAYS", "NEVER"),
        restartPolicyMaxRetries=WHOLE,
        cronSchedule=CRON,
        overlapSeconds=WHOLE,
        drainingSeconds=WHOLE,
    ),
)
