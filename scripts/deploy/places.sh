# shellcheck shell=bash
# Where the deployment's checkers are. Sourced.

export DEPLOY_TOOLS=${DEPLOY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/pulsecheck/deploy-tools}
# Docker's plugins are looked up here, so that a person's own configuration, with its credentials, is not used by checks.
export DOCKER_CONFIG=$DEPLOY_TOOLS/docker
# What was unpacked, and where only root looks for programs.
export PATH=$PATH:/usr/sbin:/sbin:$DEPLOY_TOOLS/own/root/usr/sbin:$DEPLOY_TOOLS/own/root/usr/bin
