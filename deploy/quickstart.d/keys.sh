# Development keys of the quickstart: CA, server certificate, session signing key, tokens. Sourced.
# make_keys makes what is missing or about to expire below STATE; nothing leaves that folder.

make_keys() {
  mkdir -p "$STATE/tls" "$STATE/secrets" && chmod 700 "$STATE/secrets" "$STATE/tls" || return
  if ! openssl x509 -checkend 604800 -noout -in "$STATE/tls/server.crt" >/dev/null 2>&1; then
    make_certificates || return
  fi
  [[ -s $STATE/secrets/session-key.pem ]] || make_ec_key "$STATE/secrets/session-key.pem" || return
  make_token "$STATE/secrets/gateway-token" && make_token "$STATE/secrets/jupyter-token"
}

make_ec_key() {
  (umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1")
}

make_token() {
  [[ -s $1 ]] || (umask 077 && openssl rand -hex 24 >"$1")
}

make_certificates() {
  local tls=$STATE/tls
  cat >"$tls/openssl.cnf" <<'CNF'
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
CNF
  make_ec_key "$tls/ca.key" && make_ec_key "$tls/server.key" &&
    openssl req -x509 -new -config "$tls/openssl.cnf" -extensions ca -key "$tls/ca.key" \
      -subj "/CN=Kernelgate quickstart CA" -days 365 -out "$tls/ca.crt" &&
    openssl req -new -config "$tls/openssl.cnf" -key "$tls/server.key" -out "$tls/server.csr" &&
    openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" \
      -CAcreateserial -days 90 -extfile "$tls/openssl.cnf" -extensions server -out "$tls/server.crt"
}
