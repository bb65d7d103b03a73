{{/* Names, labels and addresses shared by several objects. */}}

{{- define "pulsecheck.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that all pods of this release have, and no other pod in the namespace. */}}
{{- define "pulsecheck.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* (list $ "api") */}}
{{- define "pulsecheck.componentSelector" -}}
{{ include "pulsecheck.selector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "pulsecheck.labels" -}}
{{ include "pulsecheck.componentSelector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end -}}

{{/* (list $ "pulsecheck") */}}
{{- define "pulsecheck.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- with $image.registry }}{{ . | trimSuffix "/" }}/{{ end }}{{ index . 1 }}:{{ $image.tag }}
{{- end -}}

{{- define "pulsecheck.secretName" -}}
{{- .Values.secrets.existingSecret | default (include "pulsecheck.fullname" .) -}}
{{- end -}}

{{- define "pulsecheck.tlsSecretName" -}}
{{- .Values.ingress.tls.secretName | default (printf "%s-tls" (include "pulsecheck.fullname" .)) -}}
{{- end -}}

{{- define "pulsecheck.publicUrl" -}}
{{- $scheme := ternary "https" "http" .Values.ingress.tls.enabled -}}
{{- .Values.publicUrl | default (printf "%s://%s" $scheme .Values.ingress.host) -}}
{{- end -}}
