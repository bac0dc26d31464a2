# Completion of millrace for bash: commands, verbs, options, and the names of databases and tables.
_millrace() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local common="--endpoint --region --profile --ca-file --format --help"
    COMPREPLY=()
    case $before in
    --format) COMPREPLY=($(compgen -W "table csv json" -- "$word")); return ;;
    --input-format) COMPREPLY=($(compgen -W "csv json line parquet" -- "$word")); return ;;
    --output-format) COMPREPLY=($(compgen -W "csv json line" -- "$word")); return ;;
    --time-unit) COMPREPLY=($(compgen -W "s ms us ns" -- "$word")); return ;;
    --profile) COMPREPLY=($(compgen -W "$(_millrace_profiles)" -- "$word")); return ;;
    --ca-file | --rejects | --resume | --output | --tls-cert | --tls-key | --tls-client-ca | --config | --users) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --data | --spool) COMPREPLY=($(compgen -d -- "$word")); return ;;
    -d | --database) _millrace_names "$word" databases 1; return ;;
    -t | --table) _millrace_names "$word" tables 2; return ;;
    esac
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "serve check dump backup restore query write import export databases tables tags user policy help version --help" -- "$word"))
        return
    fi
    case $command:$word in
    write:-*) COMPREPLY=($(compgen -W "$common -d -t --input-format --rejects --spool --give-up" -- "$word")) ;;
    import:-*) COMPREPLY=($(compgen -W "$common -d -t --input-format --rejects --resume --give-up --create --verify --time --time-unit
        --dimensions --measures --measure-name --measure-name-column --delimiter --escape --memory-hours --magnetic-days" -- "$word")) ;;
    export:-*) COMPREPLY=($(compgen -W "$common -d -t --from --to --output --output-format --resume" -- "$word")) ;;
    tables:-*) COMPREPLY=($(compgen -W "$common --memory-hours --magnetic-days" -- "$word")) ;;
    query:-* | databases:-* | tags:-*) COMPREPLY=($(compgen -W "$common" -- "$word")) ;;
    help:*) COMPREPLY=($(compgen -W "check dump backup restore query write import export databases tables tags user policy" -- "$word")) ;;
    user:-*) COMPREPLY=($(compgen -W "--users --data --policy --no-key --expires --help" -- "$word")) ;;
    policy:-*) COMPREPLY=($(compgen -W "--users --data --user --action --resource --context --help" -- "$word")) ;;
    user:*) ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -W "list add remove key attach detach" -- "$word")) ;;
    policy:*) ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -W "check simulate list show put remove" -- "$word")) || COMPREPLY=($(compgen -f -- "$word")) ;;
    tags:*) ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -W "add remove" -- "$word")) ;;
    backup:-*) COMPREPLY=($(compgen -W "--data --to --server --no-keys --s3-endpoint --s3-region --s3-ca --s3-credentials --s3-profile --help" -- "$word")) ;;
    restore:-*) COMPREPLY=($(compgen -W "--from --data --list --id --keys --accept-damage --s3-endpoint --s3-region --s3-ca --s3-credentials
        --s3-profile --help" -- "$word")) ;;
    dump:-*) COMPREPLY=($(compgen -W "--help --contents --keys" -- "$word")) ;;
    check:-*) COMPREPLY=($(compgen -W "--help --online --credentials" -- "$word")) ;;
    check:* | dump:*) COMPREPLY=($(compgen -W "--help" -f -- "$word")) ;;
    write:* | import:*) COMPREPLY=($(compgen -f -- "$word")) ;;
    databases:* | tables:*)
        if ((COMP_CWORD == 2)); then
            COMPREPLY=($(compgen -W "describe create delete$([[ $command = tables ]] && echo " update")" -- "$word"))
            [[ $command = tables ]] && _millrace_names "$word" databases 1 more
        elif ((COMP_CWORD == 3)); then
            _millrace_names "$word" databases 1
        elif [[ $command = tables ]]; then
            _millrace_names "$word" "tables $before" 2
        fi
        ;;
    esac
}

# Names from a list of the server; quietly nothing when it cannot be asked.
_millrace_names() { # word, list, column, more: beside what is there
    local names
    names=$(AWS_MAX_ATTEMPTS=1 "${COMP_WORDS[0]}" $2 --format csv 2>/dev/null | tail -n +2 | cut -d, -f"$3")
    [[ -n ${4:-} ]] || COMPREPLY=()
    COMPREPLY+=($(compgen -W "$names" -- "$1"))
}

_millrace_profiles() {
    sed -nE 's/^\[(profile )?([^]]+)\].*/\2/p' "${AWS_CONFIG_FILE:-$HOME/.aws/config}" \
        "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null | sort -u
}

complete -F _millrace millrace
