# SPDX-License-Identifier: MIT
# PREFIX/bin/doze, PREFIX/libexec/doze/doze-engine, PREFIX/lib/doze/*.so, man pages, completions.

if(TARGET doze)
    install(TARGETS doze RUNTIME DESTINATION bin)
endif()
if(TARGET doze-engine)
    install(TARGETS doze-engine RUNTIME DESTINATION libexec/doze)
endif()

# The engine's libraries (ours or the user's build) and yyjson where it is the borrowed one.
file(GLOB engine_libs ${DOZE_LLAMA_LIB_DIR}/libllama*.so* ${DOZE_LLAMA_LIB_DIR}/libggml*.so*
    ${DOZE_LLAMA_LIB_DIR}/LICENSE.*)
file(GLOB borrowed_libs ${DOZE_DEPS}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libyyjson.so.*)
install(FILES ${engine_libs} ${borrowed_libs} DESTINATION lib/doze)

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
