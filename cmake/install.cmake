# SPDX-License-Identifier: MIT
# PREFIX/bin/doze, PREFIX/libexec/doze/doze-engine, PREFIX/lib/doze/*.so, man pages, completions.
set(private_lib lib/doze)

if(TARGET doze)
    set_target_properties(doze PROPERTIES INSTALL_RPATH "$ORIGIN/../${private_lib}")
    install(TARGETS doze RUNTIME DESTINATION bin)
endif()
if(TARGET doze-engine)
    set_target_properties(doze-engine PROPERTIES INSTALL_RPATH "$ORIGIN/../../${private_lib}")
    install(TARGETS doze-engine RUNTIME DESTINATION libexec/doze)
endif()

# The engine's libraries (ours or the user's build) and yyjson where it is the borrowed one.
file(GLOB engine_libs ${DOZE_LLAMA_LIB_DIR}/libllama*.so* ${DOZE_LLAMA_LIB_DIR}/libggml*.so*
    ${DOZE_LLAMA_LIB_DIR}/LICENSE.*)
file(GLOB borrowed_libs ${DOZE_DEPS}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libyyjson.so.*)
install(FILES ${engine_libs} ${borrowed_libs} DESTINATION ${private_lib})

install(FILES LICENSE DESTINATION share/doc/doze)
file(GLOB man_pages docs/man/*.1)
install(FILES ${man_pages} DESTINATION share/man/man1)
install(FILES completions/doze.bash DESTINATION share/bash-completion/completions RENAME doze OPTIONAL)
install(FILES completions/_doze DESTINATION share/zsh/site-functions OPTIONAL)
install(FILES completions/doze.fish DESTINATION share/fish/vendor_completions.d OPTIONAL)
