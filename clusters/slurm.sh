#!/usr/bin/env bash
# One run under Slurm: `sbatch clusters/slurm.sh` from the root of the repository, on a file system that all nodes see.
# A Ray cluster is started over the nodes of the job, one task each, and ends with it. Submitted again, the run goes on where it stopped.
#SBATCH --job-name=wxexp
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=wxexp-%j.log
set -euo pipefail

cd "$SLURM_SUBMIT_DIR"
. "${WXEXP_VENV:-$HOME/wxexp-venv}/bin/activate" # python 3.11 with `pip install .`: ray 2.60.0, torch 2.13.0

# Other users of the cluster can reach the ports of these nodes: a token of this job's own, on the shared file system, read by its owner only.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$SLURM_SUBMIT_DIR/.ray-token-$SLURM_JOB_ID"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32))' >"$RAY_AUTH_TOKEN_PATH")

export WXEXP_RUNS="${WXEXP_RUNS:-$SLURM_SUBMIT_DIR/runs}" RAY_USAGE_STATS_ENABLED=0
head="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)"

# symmetric-run stops every Ray of this user on the nodes when it ends, hence --exclusive above.
srun --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    ray symmetric-run --address="$head:6379" --min-nodes="$SLURM_NNODES" --num-cpus="$SLURM_CPUS_PER_TASK" \
    --object-spilling-directory="${TMPDIR:-/tmp}/ray-spill" -- \
    env RAY_ADDRESS="$head:6379" python -m wxexp run experiments/lorenz96.py --resources.workers=32
