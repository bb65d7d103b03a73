{{/* Fields shared by every pod and every container. */}}

{{/* (dict "root" $ "uid" 1000): the fields of a pod around its containers. */}}
{{- define "pulsecheck.pod" -}}
{{- $root := .root -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
# One selector for all pods: the whole installation is spread over the nodes, not each component by itself.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "pulsecheck.selector" $root | nindent 8 }}
{{- end -}}

{{- define "pulsecheck.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* (dict "root" $ "keys" (list "database" "redis" "secret-key" "sign-in")): the environment variables that hold secrets. */}}
{{- define "pulsecheck.secretEnvironment" -}}
{{- $root := .root -}}
{{- $own := include "pulsecheck.secretName" $root -}}
{{- if has "database" .keys }}
{{- $external := and (not $root.Values.postgres.enabled) $root.Values.postgres.external.existingSecret }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ $external | default $own }}
      key: {{ ternary $root.Values.postgres.external.key "database-url" (not (empty $external)) }}
{{- end }}
{{- if has "redis" .keys }}
{{- $external := and (not $root.Values.redis.enabled) $root.Values.redis.external.existingSecret }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ $external | default $own }}
      key: {{ ternary $root.Values.redis.external.key "redis-url" (not (empty $external)) }}
{{- end }}
{{- if has "secret-key" .keys }}
- name: PULSECHECK_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ $own }}
      key: secret-key
- name: PULSECHECK_PREVIOUS_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ $own }}
      key: previous-secret-key
      optional: true
{{- end }}
{{- if has "sign-in" .keys }}
{{- range $name, $_ := $root.Values.secrets.extra }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $own }}
      key: {{ $name | lower | replace "_" "-" }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Restarts pods when what they read at startup has changed. */}}
{{- define "pulsecheck.checksums" -}}
checksum/config: {{ include (print .Template.BasePath "/configmap.yaml") . | sha256sum }}
checksum/secret: {{ include (print .Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end -}}

{{/* (dict "root" $ "arguments" (list "--schema") "keys" (list "database" "redis")): an init container that waits until they respond. */}}
{{- define "pulsecheck.waiting" -}}
- name: wait
  image: {{ include "pulsecheck.image" (list .root .root.Values.image.repository) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ concat (list "wait") .arguments | toJson }}
  env:
    {{- include "pulsecheck.secretEnvironment" (dict "root" .root "keys" .keys) | nindent 4 }}
  {{- include "pulsecheck.containerSecurity" . | nindent 2 }}
  resources:
    requests: { cpu: 10m, memory: 32Mi }
    limits: { cpu: 500m, memory: 128Mi }
{{- end -}}
