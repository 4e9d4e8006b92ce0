
# `cargo xtask …` is completed as `xtask …`; every other command of cargo as it was before.
complete -p cargo &>/dev/null || { declare -F _completion_loader >/dev/null && _completion_loader cargo; } &>/dev/null
_cargo_without_xtask=${_cargo_without_xtask:-$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')}
_cargo_with_xtask() {
    if [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == xtask ]]; then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _xtask xtask "$2" "$3"
    elif [[ -n $_cargo_without_xtask ]]; then
        "$_cargo_without_xtask" "$@"
    fi
}
complete -F _cargo_with_xtask -o bashdefault -o default cargo
