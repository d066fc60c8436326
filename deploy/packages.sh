# Sourced by demo.sh and test.sh: installs the Debian packages that are not there yet.

need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "Installing: ${missing[*]}"
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

need_cargo() {
  command -v cargo >/dev/null || { echo "Rust is missing: install it with rustup, then run this again." >&2; exit 1; }
}

# To build: a C compiler and cmake for libopus and the TLS primitives, ALSA's headers for the sound.
BUILD_PACKAGES=(build-essential cmake pkg-config libasound2-dev)
# To run: a driver for the GPU where there is one (without one none is needed; the tests draw with it), and what a window needs
# under X11 and Wayland.
RUN_PACKAGES=(mesa-vulkan-drivers libvulkan1 libasound2 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2
  libxkbcommon0 libxkbcommon-x11-0 libwayland-client0)
