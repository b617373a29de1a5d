# SPDX-License-Identifier: MIT
# PREFIX/bin/doze, PREFIX/libexec/doze/doze-engine, PREFIX/lib/doze/*.so, man pages, completions,
# units, documents. docs/operations.md has the list.

if(TARGET doze)
    install(TARGETS doze RUNTIME DESTINATION bin)
endif()
if(TARGET doze-engine)
    install(TARGETS doze-engine RUNTIME DESTINATION libexec/doze)
endif()

# What `doze engine install` runs.
foreach(file engine-variant.sh engine-package.sh engine.lock)
    install(FILES ${PROJECT_SOURCE_DIR}/setup/${file} DESTINATION libexec/doze)
    configure_file(${PROJECT_SOURCE_DIR}/setup/${file} ${DOZE_OUTPUT}/${file} COPYONLY)
endforeach()

# The engine's libraries (ours or the user's build) and yyjson where it is the borrowed one.
file(GLOB engine_libs ${DOZE_LLAMA_LIB_DIR}/libllama*.so* ${DOZE_LLAMA_LIB_DIR}/libggml*.so*
    ${DOZE_LLAMA_LIB_DIR}/LICENSE.*)
file(GLOB borrowed_libs ${DOZE_DEPS}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libyyjson.so.*)
set(guidance_libs)
if(DOZE_GUIDANCE)
    file(GLOB guidance_libs ${DOZE_DEPS}/guidance/lib/*)
endif()
install(FILES ${engine_libs} ${borrowed_libs} ${guidance_libs} DESTINATION lib/doze)

# Files that the command line brings, each to the folder its reader looks in.
function(install_as destination name file)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
        install(FILES ${file} DESTINATION ${destination} RENAME ${name})
    endif()
endfunction()

install_as(share/doc/doze copyright LICENSE)
install_as(share/bash-completion/completions doze completions/doze.bash)
install_as(share/zsh/site-functions _doze completions/_doze)
install_as(share/fish/vendor_completions.d doze.fish completions/doze.fish)
file(GLOB man_pages docs/man/*.1)
if(man_pages)
    install(FILES ${man_pages} DESTINATION share/man/man1)
endif()

set(doc share/doc/doze)
file(GLOB documents docs/*.md)
install(FILES ${documents} CHANGELOG.md README.md DESTINATION ${doc})
install(FILES packaging/grafana/doze.json DESTINATION ${doc}/grafana)
install(FILES packaging/nginx/doze.conf DESTINATION ${doc}/nginx)
install(FILES packaging/sysusers/doze.conf DESTINATION lib/sysusers.d)

# The units name the program and a document below the prefix that is chosen at the installation.
install(CODE "
    foreach(unit system/doze.service system/doze.socket user/doze.service user/doze.socket)
        file(READ \"${PROJECT_SOURCE_DIR}/packaging/systemd/\${unit}\" text)
        string(REPLACE /usr/bin/ \"\${CMAKE_INSTALL_PREFIX}/bin/\" text \"\${text}\")
        string(REPLACE /usr/share/ \"\${CMAKE_INSTALL_PREFIX}/share/\" text \"\${text}\")
        set(made \"${PROJECT_BINARY_DIR}/units/\${unit}\")
        file(WRITE \"\${made}\" \"\${text}\")
        get_filename_component(scope \"\${unit}\" DIRECTORY)
        file(INSTALL \"\${made}\" DESTINATION
            \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/\${scope}\" TYPE FILE)
    endforeach()")
