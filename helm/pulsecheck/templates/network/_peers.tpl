{{/* Building blocks of network policies. */}}

{{/* (dict "namespace" "..." "podLabels" ...): pods of another namespace. Both selectors are in one peer, so both must match. */}}
{{- define "pulsecheck.peer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace }}
  podSelector:
    matchLabels:
      {{- toYaml .podLabels | nindent 6 }}
{{- end -}}

{{/* (list $ "api"): pods of this release. */}}
{{- define "pulsecheck.ownPeer" -}}
- podSelector:
    matchLabels:
      {{- include "pulsecheck.componentSelector" . | nindent 6 }}
{{- end -}}

{{- define "pulsecheck.toDns" -}}
- to:
    {{- include "pulsecheck.peer" . | nindent 4 }}
  ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
{{- end -}}

{{- define "pulsecheck.fromMonitoring" -}}
{{- if .Values.metrics.enabled }}
- from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.networkPolicy.monitoringNamespace }}
  ports:
    - { port: 9090, protocol: TCP }
{{- end }}
{{- end -}}

{{- define "pulsecheck.toCollector" -}}
{{- if .Values.traces.endpoint }}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.networkPolicy.monitoringNamespace }}
  ports:
    - { port: {{ .Values.traces.port }}, protocol: TCP }
{{- end }}
{{- end -}}

{{/* (list $ "postgres") */}}
{{- define "pulsecheck.toStorage" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $server := get $root.Values $name }}
{{- if $server.enabled }}
- to:
    {{- include "pulsecheck.ownPeer" . | nindent 4 }}
  ports:
    - { port: {{ ternary 5432 6379 (eq $name "postgres") }}, protocol: TCP }
{{- else }}
- to:
    {{- range $server.external.cidrs }}
    - ipBlock: { cidr: {{ . }} }
    {{- end }}
  ports:
    - { port: {{ $server.external.port }}, protocol: TCP }
{{- end }}
{{- end -}}

{{/* Public addresses only. The program refuses all others itself; this is a second line of defence. */}}
{{- define "pulsecheck.toTargets" -}}
{{- $external := .Values.networkPolicy.external -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 0.0.0.0/8
          - 10.0.0.0/8
          - 100.64.0.0/10
          - 127.0.0.0/8
          - 169.254.0.0/16
          - 172.16.0.0/12
          - 192.0.0.0/24
          - 192.168.0.0/16
          - 198.18.0.0/15
          - 224.0.0.0/4
          - 240.0.0.0/4
    # IPv6: global unicast only, without 6to4 and Teredo, which embed IPv4 addresses.
    - ipBlock:
        cidr: 2000::/3
        except:
          - 2001::/32
          - 2001:db8::/32
          - 2002::/16
    {{- range $external.allowCidrs }}
    - ipBlock: { cidr: {{ . }} }
    {{- end }}
  ports:
    {{- range $external.ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- else }}
    - { port: 1, endPort: 65535, protocol: TCP }
    {{- end }}
{{- end -}}
