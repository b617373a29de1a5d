# SPDX-License-Identifier: MIT
# What only a package has (preset `package`, `make deb`): Debian's own files; and how CPack packs
# it. The bytes depend on the sources and SOURCE_DATE_EPOCH alone.
set(deb ${PROJECT_SOURCE_DIR}/packaging/deb)

install(FILES ${deb}/changelog ${deb}/copyright DESTINATION ${doc})
install(FILES ${deb}/lintian-overrides DESTINATION share/lintian/overrides RENAME doze)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME doze)
set(CPACK_PACKAGE_CONTACT "doze developers <doze@doze.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "local server for large language models")
set(CPACK_PACKAGE_DESCRIPTION
"doze loads a model when a request names it and unloads it when nobody has
needed it for a while. It speaks the HTTP interfaces of OpenAI, Anthropic,
Ollama and LM Studio, and is used from the command line or a web page.
.
Each model runs in a sandboxed process of its own, on llama.cpp.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${deb}/finish.cmake)

set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${DOZE_RUNTIME_DIRS})
# libcurl, libssl and libedit are opened when they are needed, so shlibdeps does not see them.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libcurl4t64 | libcurl4, libssl3t64 | libssl3")
string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS
    ", systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libedit2, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deb}/postinst ${deb}/prerm ${deb}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
